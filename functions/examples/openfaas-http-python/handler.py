"""OpenFaaS, python3-http: handle(event, context); a generator is sent piece by piece, here as server-sent events."""


def handle(event, context):
    words = event.body.decode().split()
    if not words:
        return {"statusCode": 400, "body": "expected some words"}
    return {"body": (f"data: {word}\n\n" for word in words), "headers": {"content-type": "text/event-stream"}}
