import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { Secret, type CfnSecret, type ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { Tenant } from '../lambda/config.ts';
import { renewsItself } from '../lambda/settings.ts';
import { MonitorError } from '../lambda/errors.ts';
import { certificateSecretOf, stackFlag } from '../lambda/outputs.ts';
import { acknowledge } from './acknowledge.ts';
import { secretArn } from './secret-arn.ts';
import { commandLine } from '../lambda/command-line.ts';

/**
 * The number of secrets with names of usual length in a policy of 6,144 characters, and of policies in a role:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
const ARNS_A_STATEMENT = 40;
const POLICIES = 10;

export interface CertificateProps {
  /** Name of the deployment. */
  readonly name: string;
  readonly tenants: Pick<Tenant, 'certificate' | 'signIn' | 'rotate' | 'objectId'>[];
}

/**
 * The secrets that hold certificate and key. The deployment creates the one that serves all tenants without a secret
 * of their own, without a value: `secure-score certificate put` fills it. The others must exist; the config has their
 * names.
 */
export class Certificate extends Construct {
  /** Name of the secret that serves every tenant without one of its own, even if there is no such tenant. */
  readonly secretName: string;
  /** That secret; undefined if every tenant has another (or the same one by name, left by an earlier deployment). */
  readonly secret?: ISecret;
  private readonly props: CertificateProps;

  constructor(scope: Construct, id: string, props: CertificateProps) {
    super(scope, id);
    this.secretName = certificateSecretOf(props.name);
    this.props = props;
    const needs = props.tenants.some(
      ({ certificate, signIn }) => certificate === undefined && signIn !== 'federated',
    );
    if (needs) this.secret = this.create();
  }

  /** Whether any tenant signs in with a certificate. */
  get signsIn(): boolean {
    return this.props.tenants.some(({ signIn }) => signIn !== 'federated');
  }

  /** Whether any of them renews itself. */
  get renews(): boolean {
    return this.props.tenants.some(renewsItself);
  }

  /**
   * Lets the grantee read the certificates of the tenants, and no other secret. @throws MonitorError `policy-too-large`
   */
  grantRead(grantee: IGrantable): void {
    this.grant(grantee, ['secretsmanager:GetSecretValue'], () => true);
  }

  /**
   * Lets the grantee add versions to the secrets whose tenants renew themselves, and read the others, because a secret
   * may be shared with a tenant that holds the renewal back. @throws MonitorError `policy-too-large`
   */
  grantRenew(grantee: IGrantable): void {
    this.grant(grantee, ['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue'], () => true);
    this.grant(
      grantee,
      ['secretsmanager:PutSecretValue', 'secretsmanager:UpdateSecretVersionStage'],
      renewsItself,
    );
  }

  private grant(
    grantee: IGrantable,
    actions: string[],
    which: (tenant: CertificateProps['tenants'][number]) => boolean,
  ): void {
    const theirs = this.props.tenants.filter((tenant) => tenant.signIn !== 'federated' && which(tenant));
    const named = [...new Set(theirs.flatMap(({ certificate }) => certificate ?? []))].toSorted();
    const isShared = theirs.some(({ certificate }) => certificate === undefined);
    const arns = [
      ...(this.secret && isShared ? [this.secret.secretArn] : []),
      ...named.map((name) => secretArn(this, name)),
    ];
    // CDK divides statements among policies, whose length is limited, but it cannot divide one long statement.
    const statements = Object.values(
      Object.groupBy(arns, (_, index) => Math.floor(index / ARNS_A_STATEMENT)),
    );
    if (statements.length > POLICIES) {
      throw new MonitorError(
        'policy-too-large',
        `The tenants use ${named.length} secrets, but the policies of one role hold about ${POLICIES * ARNS_A_STATEMENT}.`,
        'Let tenants share a certificate: leave "certificate" out, or give several tenants the same name there. Or divide the tenants among several deployments.',
      );
    }
    for (const resources of statements) {
      grantee.grantPrincipal.addToPrincipalPolicy(
        new PolicyStatement({ actions, resources: resources ?? [] }),
      );
    }
  }

  private create(): Secret {
    const secret = new Secret(this, 'Secret', {
      secretName: this.secretName,
      description: `PEM bundle of secure-score-monitor: certificate and private key. Fill it with: ${commandLine(`certificate put${stackFlag(Stack.of(this).stackName)}`)}`,
      // The secret is retained because its private key may be the only one left to sign in with.
      removalPolicy: RemovalPolicy.RETAIN,
    });
    // By default CDK would generate a password. CloudFormation leaves the value alone afterwards.
    (secret.node.defaultChild as CfnSecret).generateSecretString = undefined;
    acknowledge(secret, {
      'AwsSolutions-SMG4':
        'Rotation by Secrets Manager cannot add the public part to Entra ID: a function of the deployment renews it, where the config has an objectId. An alarm goes off 30 and 7 days before it expires; docs/runbook.md has the steps.',
    });
    return secret;
  }
}
