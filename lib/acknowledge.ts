import { Validations } from 'aws-cdk-lib';
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
  const principal: unknown = grantee.grantPrincipal;
  if (Construct.isConstruct(principal)) acknowledge(principal, reasons);
}
