"""Nuclio: handler(context, event); init_context runs once, before the first event."""


def init_context(context):
    context.user_data.greeting = "Hello"


def handler(context, event):
    context.logger.info_with("greeting", id=event.id)
    return context.Response(
        body=f"{context.user_data.greeting}, {event.body}!", content_type="text/plain", status_code=200
    )
