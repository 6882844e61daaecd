import { Stack, Validations } from 'aws-cdk-lib';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { Construct, type IConstruct } from 'constructs';

/**
 * Says why a finding of cdk-nag does not hold here: for one construct, never for a stack.
 * @param reasons by id of the rule, with the finding where a rule has several (`AwsSolutions-IAM5[Resource::*]`)
 */
export function acknowledge(construct: IConstruct, reasons: Record<string, string>): void {
  const acknowledgements = Object.entries(reasons).map(([id, reason]) => ({ id, reason }));
  Validations.of(construct).acknowledge(...acknowledgements);
}

/** The same for what a grant adds to a role. */
export function acknowledgeGrant(grantee: IGrantable, reasons: Record<string, string>): void {
  const construct = ownerOf(grantee);
  if (construct) acknowledge(construct, reasons);
}

/**
 * Says why a policy may name a resource with a wildcard.
 * @param resource exactly as the policy names it; it may lie in another stack: how it is written then is known only
 *   when CDK has sorted out what the stacks need of each other, which is right before it validates
 */
export function acknowledgeWildcard(grantee: IGrantable, resource: string, reason: string): void {
  const construct = ownerOf(grantee);
  construct?.node.addValidation({
    validate() {
      const found = inFindings(Stack.of(construct).resolve(resource));
      acknowledge(construct, { [`AwsSolutions-IAM5[Resource::${found}]`]: reason });
      return [];
    },
  });
}

/** The construct whose policy a grant changes: a role is the principal itself, a managed policy only has one. */
function ownerOf(grantee: IGrantable): IConstruct | undefined {
  const candidates: unknown[] = [grantee.grantPrincipal, grantee];
  return candidates.find((each) => Construct.isConstruct(each));
}

/** A value of a template as cdk-nag writes it. */
function inFindings(value: unknown): string {
  if (typeof value === 'string') return value;
  const [[name, argument] = []] = Object.entries(value as Record<string, unknown>);
  if (name === 'Ref') return `<${inFindings(argument)}>`;
  if (name === 'Fn::GetAtt') return `<${(argument as unknown[]).map(inFindings).join('.')}>`;
  if (name === 'Fn::ImportValue') return inFindings(argument);
  if (name === 'Fn::Join') {
    const [separator, parts] = argument as [string, unknown[]];
    return parts.map(inFindings).join(separator);
  }
  return JSON.stringify(value);
}
