"""
Python loads this before the emulator (PYTHONPATH). It mends what MiniStack 1.4.21 does otherwise than AWS, where the
tests look at it, and names the functions in their calls.
"""

import json

from ministack.core import lambda_runtime
from ministack.core.lambda_runtime import Worker
from ministack.services import iam, secretsmanager
from ministack.services.cloudformation import provisioners
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

# It stops listening for a function's log 5 ms after the last line that came before the result: on a busy machine, lines
# are lost. Here it listens for a second. In seconds: for the first line, after each line, altogether.
Worker._drain_stderr_bounded.__defaults__ = (1.0, 1.0, 3.0)

# It sends requests of functions to https://localhost without TLS, to whatever port: the Entra and the Graph that the
# tests practise on are there, over TLS.
DOWNGRADE = 'if (host === "127.0.0.1" || host === "localhost" || host === msHost) {'
assert DOWNGRADE in lambda_runtime._NODEJS_WORKER_SCRIPT
lambda_runtime._NODEJS_WORKER_SCRIPT = lambda_runtime._NODEJS_WORKER_SCRIPT.replace(DOWNGRADE, "if (false) {")


def spawn(self, original=Worker._spawn):
    """Has the SDK of a function name it in the user agent of its calls (50 characters at most): see recorder.ts."""
    environment = self.config.get("Environment", {})
    variables = {**environment.get("Variables", {}), "AWS_SDK_UA_APP_ID": self.func_name[-50:]}
    self.config = {**self.config, "Environment": {**environment, "Variables": variables}}
    return original(self)


Worker._spawn = spawn


def create_policy(logical_id, props, stack_name, original=_RESOURCE_HANDLERS["AWS::IAM::Policy"]["create"]):
    """CloudFormation makes an inline policy of it; MiniStack a managed one that its own IAM cannot read."""
    created = original(logical_id, props, stack_name)
    document = json.dumps(props["PolicyDocument"])
    for role in filter(None, map(iam._roles.get, props.get("Roles", []))):
        role["AttachedPolicies"] = [each for each in role["AttachedPolicies"] if isinstance(each, str)]
        role["InlinePolicies"][props["PolicyName"]] = document
    return created


_RESOURCE_HANDLERS["AWS::IAM::Policy"]["create"] = create_policy


def create_secret(logical_id, props, stack_name, original=_RESOURCE_HANDLERS["AWS::SecretsManager::Secret"]["create"]):
    """`Ref` of a secret is its ARN, which MiniStack takes for the name: policies would name no secret."""
    name, attributes = original(logical_id, props, stack_name)
    return secretsmanager._secrets[name]["ARN"], attributes


def delete_secret(physical_id, props, original=_RESOURCE_HANDLERS["AWS::SecretsManager::Secret"]["delete"]):
    original(secretsmanager._resolve(physical_id)[0], props)


_RESOURCE_HANDLERS["AWS::SecretsManager::Secret"].update(create=create_secret, delete=delete_secret)


class Unknown(dict):
    """MiniStack knows no Glue and no Athena: a stack that has some comes and goes, but nothing answers for them."""

    def get(self, key, default=None):
        if key not in self and key.startswith(("AWS::Glue::", "AWS::Athena::")):
            return {
                "create": lambda logical_id, props, stack_name: (f"{stack_name}-{logical_id}", {}),
                "delete": lambda physical_id, props: None,
            }
        return super().get(key, default)


provisioners._RESOURCE_HANDLERS = Unknown(_RESOURCE_HANDLERS)
