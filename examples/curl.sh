#!/bin/sh
# Sends a recording, watches it, and prints its translations: examples/curl.sh FILE [zh,ja]
set -eu

url=${FANSCRIBE_URL:-http://127.0.0.1:8000}
file=$1
targets=${2:-zh,ja}

ask() {
  curl --silent --show-error --fail-with-body \
    -H "Authorization: Bearer ${FANSCRIBE_API_KEY:-}" "$@"
}

# The same Idempotency-Key makes one task, however often this is sent.
task=$(ask --retry 5 -H "Idempotency-Key: $(date +%s)-$$" \
  "$url/v1/tasks" -F "files=@$file" -F "targets=$targets" |
  sed 's/.*"id":"\([^"]*\)".*/\1/')
echo "task $task"

# The stream of events ends with the task.
ask --no-buffer "$url/v1/tasks/$task/events" | grep --line-buffered '^event: cell' || true

ask "$url/v1/tasks/$task/result"
echo
ask "$url/v1/tasks/$task" | sed 's/.*"state":"\([^"]*\)".*/\1/'
