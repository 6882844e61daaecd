import { Stack } from 'aws-cdk-lib';
import { PolicyStatement, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { commandLine } from '../lambda/command-line.ts';
import type { Config, Place } from '../lambda/config.ts';
import { MonitorError, quote } from '../lambda/errors.ts';
import { secretArn } from './secret-arn.ts';

export interface ChannelsProps {
  readonly channels: Config['channels'];
}

/**
 * The permissions that the channels of the config need: to read their secrets, and to put events on their buses. The
 * deployment creates neither: `secure-score channel put` creates the secrets. A webhook is reached over the internet,
 * for which the function needs no VPC.
 */
export class Channels extends Construct {
  private readonly channels: Config['channels'];

  /** @throws MonitorError `channel-without-secret` */
  constructor(scope: Construct, id: string, props: ChannelsProps) {
    super(scope, id);
    this.channels = props.channels;
    for (const { channel, place } of this.places()) {
      if ('secret' in place) continue;
      throw new MonitorError(
        'channel-without-secret',
        `The channel ${quote(channel)} reads the variable ${place.env}, which is for runs on one machine: a template would show its value.`,
        `Use a secret in the deployment: { secret: 'secure-score/${channel}' }, and put the value there with: ${commandLine(`channel put ${channel}`)}`,
      );
    }
  }

  /** Lets the grantee read exactly the secrets of the channels, and put events on exactly their buses. */
  grantSend(grantee: IGrantable): void {
    const secrets = this.places().flatMap(({ place }) => ('secret' in place ? place.secret : []));
    const buses = this.channels.flatMap((channel) =>
      channel.type === 'events' ? (channel.bus ?? 'default') : [],
    );
    const allow = (action: string, resources: string[]) => {
      if (resources.length === 0) return;
      grantee.grantPrincipal.addToPrincipalPolicy(
        new PolicyStatement({ actions: [action], resources: [...new Set(resources)].toSorted() }),
      );
    };
    allow(
      'secretsmanager:GetSecretValue',
      secrets.map((name) => secretArn(this, name)),
    );
    allow(
      'events:PutEvents',
      buses.map((name) => this.busArn(name)),
    );
  }

  private places(): { channel: string; place: Place }[] {
    return this.channels.flatMap((channel) => {
      const { name } = channel;
      if (channel.type === 'events') return [];
      const address = { channel: name, place: channel.url };
      return channel.type === 'webhook' ? [address, { channel: name, place: channel.signingKey }] : [address];
    });
  }

  private busArn(name: string): string {
    if (name.startsWith('arn:')) return name;
    return Stack.of(this).formatArn({ service: 'events', resource: 'event-bus', resourceName: name });
  }
}
