/** The imports that the handler cannot do without, in the parts that it uses: the clients of the SDK, and msal-node. */
export { ConfidentialClientApplication, LogLevel } from '@azure/msal-node';
export {
  GetObjectCommand,
  paginateListObjectsV2,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
export { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
export { SendEmailCommand, SESv2Client } from '@aws-sdk/client-sesv2';
