import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/**
 * The ARN of a secret that exists or will exist. Secrets Manager appends a hyphen and six characters to its name, so
 * that a new secret of the same name has another ARN.
 * @param name a name, or an ARN, which is returned unchanged
 */
export function secretArn(scope: Construct, name: string): string {
  if (name.startsWith('arn:')) return name;
  return Stack.of(scope).formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    resourceName: `${name}-??????`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}
