import { ofType, text, type Deployment, type Json } from './deployment.ts';

export interface Statement {
  /** Of the resource whose policy it is. */
  owner: string;
  /** `identity`: of a role. Else the type of the resource. */
  kind: string;
  sid?: string;
  effect: string;
  principals: string[];
  actions: string[];
  resources: string[];
  condition: Record<string, Record<string, Json>>;
}

const list = (value: Json | undefined): Json[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

function statement(owner: string, kind: string, raw: Record<string, Json>): Statement {
  const principal = raw['Principal'];
  return {
    owner,
    kind,
    sid: raw['Sid'] as string,
    effect: text(raw['Effect']),
    principals:
      principal === undefined || typeof principal === 'string'
        ? list(principal).map(text)
        : Object.values(principal as Record<string, Json>).flatMap((value) => list(value).map(text)),
    actions: list(raw['Action']).map(text),
    resources: list(raw['Resource']).map(text),
    condition: (raw['Condition'] ?? {}) as Statement['condition'],
  };
}

const PLACES: Record<string, string> = {
  'AWS::IAM::Policy': 'PolicyDocument',
  'AWS::IAM::ManagedPolicy': 'PolicyDocument',
  'AWS::IAM::Role': 'AssumeRolePolicyDocument',
  'AWS::KMS::Key': 'KeyPolicy',
  'AWS::S3::BucketPolicy': 'PolicyDocument',
  'AWS::SNS::TopicPolicy': 'PolicyDocument',
  'AWS::SQS::QueuePolicy': 'PolicyDocument',
  'AWS::SecretsManager::ResourcePolicy': 'ResourcePolicy',
};

/** Every statement of every policy of the templates. */
export function statements(deployment: Pick<Deployment, 'resources'>): Statement[] {
  const found = deployment.resources.flatMap(([id, { Type, Properties = {} }]) => {
    const documents = [
      ...(PLACES[Type] ? [Properties[PLACES[Type]]] : []),
      ...(Type === 'AWS::IAM::Role'
        ? list(Properties['Policies']).map((policy) => (policy as Record<string, Json>)['PolicyDocument'])
        : []),
    ] as { Statement: Record<string, Json>[] }[];
    return documents.flatMap((document) => document.Statement.map((raw) => statement(id, Type, raw)));
  });
  if (found.length === 0) throw new Error('The templates have no policy.');
  return found;
}

/** What the policies of a function's role say. @param description of the function; the first one where absent */
export function ofFunction(deployment: Deployment, description = /^/): Statement[] {
  const [, fn] = ofType(deployment, 'AWS::Lambda::Function').find(([, { Properties }]) =>
    description.test(text(Properties?.['Description'])),
  )!;
  const role = text(fn.Properties?.['Role']).replace(/^<|\.Arn>$/g, '');
  const policies = new Set(
    ofType(deployment, 'AWS::IAM::Policy')
      .filter(([, { Properties }]) => list(Properties?.['Roles']).some((each) => text(each) === `<${role}>`))
      .map(([id]) => id),
  );
  const found = statements(deployment).filter(
    ({ owner, kind }) => kind === 'AWS::IAM::Policy' && policies.has(owner),
  );
  if (found.length === 0) throw new Error('The role of the function has no policy.');
  return found;
}

/** As IAM compares: `*` any text, `?` one character. */
export function matches(pattern: string, value: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(value);
}

/** Whether any statement allows it, whatever its conditions. */
export function allows(among: Statement[], action: string, resource: string): boolean {
  return among.some(
    ({ effect, actions, resources }) =>
      effect === 'Allow' &&
      actions.some((each) => matches(each.toLowerCase(), action.toLowerCase())) &&
      resources.some((each) => matches(each, resource)),
  );
}
