{{/* The options of a role. What is secret is named as a file. Takes a dict of `root` and `role`. */}}
{{- define "analyticbot.environment" -}}
{{- $values := .root.Values -}}
{{- if ne (contains "@" $values.log.url) $values.log.password }}
{{- fail "log.password: true for a URL with a user, and for no other" }}
{{- end }}
- { name: ANALYTICBOT_LOG, value: {{ $values.log.url | quote }} }
- { name: ANALYTICBOT_PARTITIONS, value: {{ $values.log.partitions | quote }} }
- { name: ANALYTICBOT_LOG_DAYS, value: {{ $values.log.days | quote }} }
- { name: ANALYTICBOT_LOG_MIB, value: {{ $values.log.mebibytes | quote }} }
- { name: ANALYTICBOT_LOG_LEVEL, value: {{ $values.logLevel | quote }} }
- { name: ANALYTICBOT_LOG_FORMAT, value: {{ $values.logFormat | quote }} }
{{- with $values.publicUrl }}
- { name: ANALYTICBOT_PUBLIC_URL, value: {{ . | quote }} }
{{- end }}
{{- if and (eq .role "bot") $values.bot.chats }}
- { name: ANALYTICBOT_BOT_CHATS, value: {{ $values.bot.chats | quote }} }
{{- end }}
{{- if eq .role "work" }}
- { name: ANALYTICBOT_STANDBYS, value: {{ $values.work.standbys | quote }} }
- { name: ANALYTICBOT_TABLES_MIB, value: {{ $values.work.tablesMebibytes | quote }} }
{{- end }}
{{- if ne .role "migrate" }}
- { name: ANALYTICBOT_HOST, value: "0.0.0.0" }
- { name: ANALYTICBOT_PORT, value: "8000" }
# A worker that is back under its own name in time gets its own partitions back.
- name: ANALYTICBOT_INSTANCE
  valueFrom: { fieldRef: { fieldPath: metadata.name } }
{{- end }}
{{- range $key, $variable := fromYaml (include "analyticbot.secrets" .) }}
- { name: {{ $variable }}_FILE, value: /run/secrets/analyticbot/{{ $key }} }
{{- end }}
{{- range $name, $value := $values.options }}
- { name: {{ $name }}, value: {{ $value | quote }} }
{{- end }}
{{- end }}

{{/* Which keys of the Secret a role gets, and the options they are. */}}
{{- define "analyticbot.secrets" -}}
{{- if ne .role "migrate" }}
api-key: ANALYTICBOT_API_KEY
{{- end }}
{{- if has .role (list "work" "serve" "bot" "migrate") }}
history: ANALYTICBOT_HISTORY
{{- end }}
{{- if has .role (list "collect" "bot" "migrate") }}
control: ANALYTICBOT_CONTROL
{{- end }}
{{- if .root.Values.log.password }}
log-password: ANALYTICBOT_LOG_PASSWORD
{{- end }}
{{- if eq .role "collect" }}
secret-key: ANALYTICBOT_SECRET_KEY
telegram-api-id: TELEGRAM_API_ID
telegram-api-hash: TELEGRAM_API_HASH
{{- end }}
{{- if eq .role "bot" }}
bot-token: BOT_TOKEN
{{- end }}
{{- end }}
