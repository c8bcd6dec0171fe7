"""OpenFaaS: handle(req) takes the data of the event as text and returns the reply."""


def handle(req):
    return req.upper()
