#!/bin/sh
# Any command: begun for every event, with its data on stdin and its attributes as CE_<NAME>. What it prints is the reply.
echo "$CE_TYPE has $(wc -w | tr -d ' ') words"
