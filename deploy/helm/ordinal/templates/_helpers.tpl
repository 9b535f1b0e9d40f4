{{- define "ordinal.selector" -}}
app.kubernetes.io/name: ordinal
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "ordinal.labels" -}}
{{ include "ordinal.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{- define "ordinal.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "ordinal.secret" -}}
{{ .Values.existingSecret | default .Release.Name }}
{{- end }}

{{- /* The names that the nodes answer to; they refuse others where nobody is asked who they are. */}}
{{- define "ordinal.hosts" -}}
{{- $hosts := concat .Values.hosts (compact (list .Values.ingress.command.host .Values.ingress.query.host)) }}
{{- range $role := list "command" "query" }}
{{- $name := printf "%s-%s" $.Release.Name $role }}
{{- $there := printf "%s.%s" $name $.Release.Namespace }}
{{- $hosts = concat $hosts (list $name $there (printf "%s.svc" $there) (printf "%s.svc.cluster.local" $there)) }}
{{- end }}
{{- join "," $hosts }}
{{- end }}

{{- /* Settings as text: Helm reads every number as a float. */}}
{{- define "ordinal.settings" -}}
{{- range $name, $value := . }}
{{ $name }}: {{ ternary (int64 $value) $value (kindIs "float64" $value) | toString | quote }}
{{- end }}
{{- end }}

{{- define "ordinal.configuration" -}}
# Other pods reach the operators' port only where a NetworkPolicy says which.
ADMIN_HOST: {{ ternary "0.0.0.0" "127.0.0.1" (and .Values.networkPolicy.enabled (not (empty .Values.networkPolicy.admin))) | quote }}
ADMIN_PORT: "3001"
ALLOWED_HOSTS: {{ include "ordinal.hosts" . | quote }}
{{- if not (or (hasKey .Values.secrets "JWT_SECRET") (hasKey .Values.settings "JWKS_URL")) }}
# Nobody is asked who they are unless JWT_SECRET or JWKS_URL is set: the NetworkPolicies, and what stands before the Services, say who may come.
ALLOW_UNAUTHENTICATED: "true"
{{- end }}
COMMAND_URL: {{ .Values.commandUrl | default (printf "http://%s-command.%s.svc" .Release.Name .Release.Namespace) | quote }}
HOST: "0.0.0.0"
KAFKA_BOOTSTRAP: {{ index .Values "event-bus" "brokers" | quote }}
LOG_FORMAT: json
PORT: "3000"
QUERY_URL: {{ .Values.queryUrl | default (printf "http://%s-query.%s.svc" .Release.Name .Release.Namespace) | quote }}
SHUTDOWN: {{ printf "%v seconds" .Values.shutdownSeconds | quote }}
{{- include "ordinal.settings" .Values.settings }}
{{- end }}

{{- define "ordinal.secrets" -}}
{{- $read := index .Values "read-db" "url" -}}
CACHE: {{ .Values.cache.url | quote }}
DATABASE_REPLICA_URL: {{ ternary $read "" (hasPrefix "postgres" $read) | quote }}
DATABASE_URL: {{ index .Values "write-db" "url" | quote }}
VIEWS: {{ ternary $read "" (hasPrefix "mongodb" $read) | quote }}
{{- include "ordinal.settings" .Values.secrets }}
{{- end }}

{{- /* What the PodSecurity standard "restricted" asks of a pod, and of a container. */}}
{{- define "ordinal.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "ordinal.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}
