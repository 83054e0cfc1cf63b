{{/* The pod of a role but for the volume `data`. Takes a dict of `root` and `role`. */}}
{{- define "analyticbot.pod" -}}
{{- $values := .root.Values -}}
{{- $own := get $values .role -}}
automountServiceAccountToken: false
# Kubernetes would set ANALYTICBOT_…_PORT for every service, beside our own options.
enableServiceLinks: false
{{- with $values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
# A stop under load takes up to 20 s: what is under way is finished and committed.
terminationGracePeriodSeconds: 30
{{- if ne .role "migrate" }}
topologySpreadConstraints:
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "analyticbot.selector" $ | nindent 8 }}
  {{- end }}
{{- end }}
{{- range $field := list "nodeSelector" "tolerations" "affinity" }}
{{- with get $own $field }}
{{ $field }}: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
containers:
  - name: {{ .role }}
    image: {{ $values.image.repository }}:{{ $values.image.tag | default .root.Chart.AppVersion }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    args: [{{ .role }}]
    env: {{- include "analyticbot.environment" . | nindent 6 }}
    {{- if ne .role "migrate" }}
    ports:
      - { name: http, containerPort: 8000 }
    {{- include "analyticbot.probes" . | nindent 4 }}
    {{- end }}
    {{- if eq .role "serve" }}
    # Balancers hear late that a pod ends: until then it still answers.
    lifecycle: { preStop: { exec: { command: [sleep, "4"] } } }
    {{- end }}
    resources: {{- toYaml $own.resources | nindent 6 }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities: { drop: [ALL] }
    volumeMounts:
      - { name: data, mountPath: /var/lib/analyticbot }
      - { name: tmp, mountPath: /tmp }
      - { name: secrets, mountPath: /run/secrets/analyticbot, readOnly: true }
      {{- if $values.log.tlsSecret }}
      - { name: kafka, mountPath: /run/secrets/kafka, readOnly: true }
      {{- end }}
volumes:
  - { name: tmp, emptyDir: {} }
  - name: secrets
    secret:
      secretName: {{ $values.existingSecret }}
      defaultMode: 0440
      items:
        {{- range $key, $_ := fromYaml (include "analyticbot.secrets" .) }}
        - { key: {{ $key }}, path: {{ $key }} }
        {{- end }}
  {{- with $values.log.tlsSecret }}
  - { name: kafka, secret: { secretName: {{ . }}, defaultMode: 0440 } }
  {{- end }}
{{- end }}

{{/* The key is asked for on every route, so the image's own check asks, which has it. */}}
{{- define "analyticbot.probes" -}}
# Five minutes: a worker may have to read the changelogs of all its tables first.
startupProbe:
  exec: { command: [python, -I, /opt/analyticbot/healthy.py, /healthz] }
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 60
livenessProbe:
  exec: { command: [python, -I, /opt/analyticbot/healthy.py, /healthz] }
  periodSeconds: 20
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  exec: { command: [python, -I, /opt/analyticbot/healthy.py, /readyz] }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
{{- end }}
