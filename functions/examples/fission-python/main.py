"""Fission: main() takes nothing; the event is flask's request. Works with and without flask installed."""

from flask import request


def main():
    words = request.get_data(as_text=True).split()
    return {"words": len(words), "from": request.headers.get("Ce-Source")}
