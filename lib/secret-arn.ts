import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/**
 * The ARN of a secret that exists, or will: Secrets Manager appends a hyphen and six characters to its name, so that a
 * new secret of that name is another.
 * @param name or an ARN, which is left as it is
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
