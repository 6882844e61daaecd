import { measured } from '../measure.ts';

/**
 * An execution environment of Lambda: loads the bundle named on the command line and has its handler take one event after
 * another, as the parent sends them. When the parent disconnects, it prints what that took.
 */
interface Handler {
  handler: (event: unknown, context: object) => Promise<unknown>;
}

/** Half of the function's timeout: no run of the bench comes near it. */
const REMAINING_MS = 150_000;

let invocations = 0;

await measured(async () => {
  const { handler } = (await import(process.argv[2]!)) as Handler;
  const ended = Promise.withResolvers<void>();
  process.on('disconnect', () => ended.resolve());
  process.on('message', (event) => {
    invocations += 1;
    const context = {
      awsRequestId: `${process.pid}-${invocations}`,
      functionName: 'bench',
      memoryLimitInMB: '512',
      invokedFunctionArn: 'arn:aws:lambda:eu-central-1:000000000000:function:bench',
      getRemainingTimeInMillis: () => REMAINING_MS,
    };
    handler(event, context).then(
      (result) => process.send!({ result }),
      (error: unknown) => process.send!({ error: String(error) }),
    );
  });
  process.send!('ready');
  await ended.promise;
});
