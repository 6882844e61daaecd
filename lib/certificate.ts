import { ArnFormat, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { Secret, type CfnSecret, type ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { Tenant } from '../lambda/config.ts';
import { certificateSecretOf, stackFlag } from '../lambda/outputs.ts';
import { acknowledge } from './acknowledge.ts';

export interface CertificateProps {
  /** Name of the deployment. */
  readonly name: string;
  readonly tenants: Pick<Tenant, 'certificate'>[];
}

/**
 * The secrets that hold certificate and key. The one that serves all tenants without one of their own is created,
 * without a value: `secure-score certificate put` fills it. The others exist, and are named by the config.
 */
export class Certificate extends Construct {
  /** Name of the secret that serves every tenant without one of its own; whether or not there is such a tenant. */
  readonly secretName: string;
  /** It, unless every tenant names another (which may be the same one, left by an earlier deployment). */
  readonly secret?: ISecret;
  private readonly named: string[];

  constructor(scope: Construct, id: string, props: CertificateProps) {
    super(scope, id);
    this.secretName = certificateSecretOf(props.name);
    this.named = [...new Set(props.tenants.flatMap(({ certificate }) => certificate ?? []))].toSorted();
    if (props.tenants.some(({ certificate }) => certificate === undefined)) this.secret = this.create();
  }

  /** May read the certificates of the tenants, and no other secret. */
  grantRead(grantee: IGrantable): void {
    const arns = this.named.map((name) => this.arnOf(name));
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['secretsmanager:GetSecretValue'],
        resources: this.secret ? [this.secret.secretArn, ...arns] : arns,
      }),
    );
  }

  private create(): Secret {
    const secret = new Secret(this, 'Secret', {
      secretName: this.secretName,
      description: `PEM bundle of secure-score-monitor: certificate and private key. Fill it with: secure-score certificate put${stackFlag(Stack.of(this).stackName)}`,
      // Its private key may be all that is left to sign in with.
      removalPolicy: RemovalPolicy.RETAIN,
    });
    // Without it CDK has a password made up. CloudFormation leaves the value alone ever after.
    (secret.node.defaultChild as CfnSecret).generateSecretString = undefined;
    acknowledge(secret, {
      'AwsSolutions-SMG4':
        'Nothing on the side of AWS can rotate it: the public part has to be uploaded to Entra ID. An alarm goes off 30 and 7 days before it expires; docs/runbook.md has the steps.',
    });
    return secret;
  }

  /** Secrets Manager appends a hyphen and six characters to the name, so that a new secret of that name is another. */
  private arnOf(name: string): string {
    if (name.startsWith('arn:')) return name;
    return Stack.of(this).formatArn({
      service: 'secretsmanager',
      resource: 'secret',
      resourceName: `${name}-??????`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  }
}
