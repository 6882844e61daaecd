import { Stack, Validations } from 'aws-cdk-lib';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { Construct, type IConstruct } from 'constructs';

/**
 * Acknowledges a finding of cdk-nag with a reason, for one construct and never for a stack.
 * @param reasons by id of the rule, with the finding where a rule has several (`AwsSolutions-IAM5[Resource::*]`)
 */
export function acknowledge(construct: IConstruct, reasons: Record<string, string>): void {
  const acknowledgements = Object.entries(reasons).map(([id, reason]) => ({ id, reason }));
  Validations.of(construct).acknowledge(...acknowledgements);
}

/** Acknowledges a finding about what a grant adds to a role. */
export function acknowledgeGrant(grantee: IGrantable, reasons: Record<string, string>): void {
  const construct = ownerOf(grantee);
  if (construct) acknowledge(construct, reasons);
}

/**
 * Acknowledges with a reason that a policy has a resource with a wildcard.
 * @param resource exactly as the policy has it. It may lie in another stack; how it is written is then known only when
 *   CDK has resolved the references between stacks, which it does right before it validates
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

/** The construct whose policy a grant changes: a role is itself the principal, a managed policy only has one. */
function ownerOf(grantee: IGrantable): IConstruct | undefined {
  const candidates: unknown[] = [grantee.grantPrincipal, grantee];
  return candidates.find((each) => Construct.isConstruct(each));
}

/** A template's value in the form in which cdk-nag writes it. */
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
