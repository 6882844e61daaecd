import { PolicyStatement, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { Tenant } from '../lambda/config.ts';
import { audienceOf, TOKEN_ALGORITHM, TOKEN_SECONDS } from '../lambda/graph/web-identity.ts';
import { acknowledgeGrant } from './acknowledge.ts';

/**
 * Lets the grantee get tokens by which AWS vouches for it to Entra ID: only for the audiences of the tenants' clouds,
 * and only with the algorithm and lifetime that the function requests.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound_policies.html
 * @returns whether any tenant signs in this way
 */
export function grantWebIdentity(grantee: IGrantable, tenants: Tenant[]): boolean {
  const federated = tenants.filter(({ signIn }) => signIn === 'federated');
  if (federated.length === 0) return false;
  const audiences = [...new Set(federated.map(({ cloud }) => audienceOf(cloud)))].toSorted();
  grantee.grantPrincipal.addToPrincipalPolicy(
    new PolicyStatement({
      actions: ['sts:GetWebIdentityToken'],
      resources: ['*'],
      conditions: {
        'ForAllValues:StringEquals': { 'sts:IdentityTokenAudience': audiences },
        Null: { 'sts:IdentityTokenAudience': 'false' },
        StringEquals: { 'sts:SigningAlgorithm': TOKEN_ALGORITHM },
        NumericLessThanEquals: { 'sts:DurationSeconds': TOKEN_SECONDS },
      },
    }),
  );
  acknowledgeGrant(grantee, {
    'AwsSolutions-IAM5[Resource::*]':
      'sts:GetWebIdentityToken supports no resources: conditions restrict audience, algorithm and lifetime of the token. xray:PutTraceSegments and xray:PutTelemetryRecords support none either.',
  });
  return true;
}
