"""
Says which calls of the deployed functions the deployed policies would have refused, and which permissions no call used.
It shares nothing with the project: policies come from the emulated IAM and S3 by boto3, moto decides by their actions,
resources and effects.

What moto's evaluation leaves out is done here:
- conditions: of a statement's operators moto knows StringEquals alone, and takes an unmet one for a denial. A statement
  whose conditions do not hold is left out before moto sees the policy; an operator that is unknown here is an error.
- `?` in a pattern: moto takes patterns for regular expressions, so they are handed over as such.

In:  { requests: [{ function, action, resource, context: { <key>: <value> } }] }
Out: { refused: [{ request, reason }], unused: { <function>: ["<action> <resource>"] } }
"""

import json
import re
import sys

import boto3
from moto.iam.access_control import IAMPolicy, PermissionResult


def listed(value):
    return value if isinstance(value, list) else [value]


def pattern(text):
    """Of IAM, as a regular expression but for `*`, which moto translates."""
    return re.escape(text).replace(r"\*", "*").replace(r"\?", ".")


def like(wanted, actual):
    return re.fullmatch(pattern(wanted).replace("*", ".*"), actual, re.DOTALL) is not None


OPERATORS = {
    "StringEquals": lambda wanted, actual: wanted == actual,
    "StringLike": like,
    "Bool": lambda wanted, actual: wanted.lower() == actual.lower(),
    "NumericLessThan": lambda wanted, actual: float(actual) < float(wanted),
    "Null": lambda wanted, actual: (actual is None) == (wanted.lower() == "true"),
}


def hold(conditions, context):
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html"""
    for operator, keys in conditions.items():
        for key, values in keys.items():
            actual = context.get(key)
            if actual is None and operator != "Null":
                return False
            if not any(OPERATORS[operator](str(wanted), actual) for wanted in listed(values)):
                return False
    return True


def decide(statements, request):
    """By moto, of those statements whose conditions hold."""
    in_force = [
        {
            "Effect": each["Effect"],
            "Action": [pattern(action) for action in listed(each["Action"])],
            "Resource": [pattern(resource) for resource in listed(each["Resource"])],
            **({"Principal": each["Principal"]} if "Principal" in each else {}),
        }
        for each in statements
        if hold(each.get("Condition", {}), request["context"])
    ]
    policy = IAMPolicy(json.dumps({"Version": "2012-10-17", "Statement": in_force}))
    return policy.is_action_permitted(request["action"], request["resource"])


def document(policy):
    return listed((json.loads(policy) if isinstance(policy, str) else policy)["Statement"])


def statements_of_role(function):
    """No role of the project has a managed policy: test/lib/permissions.test.ts."""
    iam = boto3.client("iam")
    role = boto3.client("lambda").get_function_configuration(FunctionName=function)["Role"].split("/")[-1]
    return [
        statement
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
        for statement in document(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
    ]


def statements_of_bucket(resource):
    if not resource.startswith("arn:aws:s3:::"):
        return []
    bucket = resource.removeprefix("arn:aws:s3:::").split("/")[0]
    return document(boto3.client("s3").get_bucket_policy(Bucket=bucket)["Policy"])


def main():
    requests = json.load(sys.stdin)["requests"]
    roles = {name: statements_of_role(name) for name in sorted({each["function"] for each in requests})}
    buckets = {}
    refused = []
    allowed = {name: [] for name in roles}
    for request in requests:
        resource = request["resource"]
        place = ":".join(resource.split(":")[:6]).split("/")[0]
        if place not in buckets:
            buckets[place] = statements_of_bucket(resource)
        by_role = decide(roles[request["function"]], request)
        if decide(buckets[place], request) == PermissionResult.DENIED:
            refused.append({"request": request, "reason": "denied by the bucket"})
        elif by_role != PermissionResult.PERMITTED:
            refused.append({"request": request, "reason": "not allowed by the role"})
        else:
            allowed[request["function"]].append(request)

    unused = {}
    for name, statements in roles.items():
        pairs = {
            f"{action} {resource}": {**each, "Action": action, "Resource": resource}
            for each in statements
            if each["Effect"] == "Allow"
            for action in listed(each["Action"])
            for resource in listed(each["Resource"])
        }
        unused[name] = sorted(
            pair
            for pair, statement in pairs.items()
            if not any(decide([statement], each) == PermissionResult.PERMITTED for each in allowed[name])
        )
    json.dump({"refused": refused, "unused": unused}, sys.stdout)


main()
