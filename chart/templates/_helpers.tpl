{{/* Names, labels and other text that several templates need. */}}

{{- define "release-server.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Name of the objects: release and chart, or the release alone if it contains the chart's name. Truncated so
that suffixes fit. */}}
{{- define "release-server.fullname" -}}
{{- $name := include "release-server.name" . -}}
{{- $made := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- .Values.fullnameOverride | default $made | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* Without --namespace Helm reports "default". */}}
{{- define "release-server.namespace" -}}
{{- $release := eq .Release.Namespace "default" | ternary "spec-kit" .Release.Namespace -}}
{{- .Values.namespaceOverride | default $release -}}
{{- end -}}

{{- define "release-server.selectorLabels" -}}
app.kubernetes.io/name: {{ include "release-server.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: server
{{- end -}}

{{/* Labels of the pod of `helm test` and of the pods of the CronJob. Both differ from the labels by which the
Service and the PodDisruptionBudget select the server's pods. */}}
{{- define "release-server.testLabels" -}}
app.kubernetes.io/name: {{ include "release-server.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: test
{{- end -}}

{{- define "release-server.verifyLabels" -}}
app.kubernetes.io/name: {{ include "release-server.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: verify
{{- end -}}

{{/* Metadata of an object. Takes a list: the root context, the object's name, its labels, its annotations. */}}
{{- define "release-server.metadata" -}}
{{- $root := index . 0 -}}
{{- $labels := merge (dict)
      (index . 2)
      (include "release-server.selectorLabels" $root | fromYaml)
      (dict
        "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63)
        "app.kubernetes.io/version" ($root.Chart.AppVersion | replace "+" "_" | trunc 63)
        "app.kubernetes.io/managed-by" $root.Release.Service)
      $root.Values.commonLabels -}}
name: {{ index . 1 }}
namespace: {{ include "release-server.namespace" $root }}
labels:
  {{- toYaml $labels | nindent 2 }}
{{- with merge (dict) (index . 3) $root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "release-server.serviceAccountName" -}}
{{- $made := .Values.serviceAccount.create | ternary (include "release-server.fullname" .) "default" -}}
{{- .Values.serviceAccount.name | default $made -}}
{{- end -}}

{{- define "release-server.secretName" -}}
{{- .Values.auth.existingSecret | default (include "release-server.fullname" .) -}}
{{- end -}}

{{- define "release-server.claimName" -}}
{{- .Values.persistence.existingClaim | default (include "release-server.fullname" .) -}}
{{- end -}}

{{- define "release-server.image" -}}
{{- $image := .Values.image -}}
{{- $image.repository }}:{{ $image.tag | default .Chart.AppVersion }}
{{- with $image.digest }}@{{ . }}{{ end -}}
{{- end -}}

{{/* Mount path of the token. A directory, because a mounted single file does not follow a changed Secret. */}}
{{- define "release-server.tokenDirectory" -}}
/run/secrets/release-server
{{- end -}}

{{- define "release-server.tlsDirectory" -}}
/run/secrets/release-server-tls
{{- end -}}

{{- define "release-server.tokensDirectory" -}}
/run/secrets/release-server-tokens
{{- end -}}

{{/* The tokens files: of the Secret, and of the values. */}}
{{- define "release-server.tokensFiles" -}}
{{- $files := list -}}
{{- if .Values.auth.tokensSecret -}}
  {{- $files = include "release-server.tokensDirectory" . | printf "%s/tokens.yaml" | append $files -}}
{{- end -}}
{{- if .Values.auth.trustedPublishers -}}
  {{- $files = append $files "/etc/release-server/trusted-publishers.yaml" -}}
{{- end -}}
{{- toRawJson $files -}}
{{- end -}}

{{- define "release-server.bucketKeysDirectory" -}}
/run/secrets/release-server-bucket
{{- end -}}

{{- define "release-server.bucketAuthoritiesDirectory" -}}
/run/release-server-bucket-authorities
{{- end -}}

{{/* Mounts of what the settings of the bucket name, and their volumes. */}}
{{- define "release-server.bucketMounts" -}}
{{- if .Values.bucket.existingSecret }}
- name: bucket-keys
  mountPath: {{ include "release-server.bucketKeysDirectory" . }}
  readOnly: true
{{- end }}
{{- if .Values.bucket.caConfigMap }}
- name: bucket-authorities
  mountPath: {{ include "release-server.bucketAuthoritiesDirectory" . }}
  readOnly: true
{{- end }}
{{- end -}}

{{- define "release-server.bucketVolumes" -}}
{{- with .Values.bucket }}
{{- if .existingSecret }}
- name: bucket-keys
  secret:
    secretName: {{ .existingSecret }}
    defaultMode: 0440
    items:
      - key: {{ .accessKeyKey }}
        path: access-key
      - key: {{ .secretKeyKey }}
        path: secret-key
{{- end }}
{{- if .caConfigMap }}
- name: bucket-authorities
  configMap:
    name: {{ .caConfigMap }}
    items:
      - key: {{ .caKey }}
        path: ca.crt
{{- end }}
{{- end }}
{{- end -}}

{{/* Name of the main port, and the scheme of its URLs. */}}
{{- define "release-server.scheme" -}}
{{- not .Values.tls.secretName | ternary "http" "https" -}}
{{- end -}}

{{/* config.yaml. The values are JSON, because Helm's numbers are floating point, and YAML output would print
large ones as 1e+06. */}}
{{- define "release-server.config" -}}
{{- if .Values.auth.sharedToken -}}
auth_token_file: {{ include "release-server.tokenDirectory" . }}/token
{{- end }}
{{- if or .Values.auth.tokensSecret .Values.auth.trustedPublishers }}
tokens_file: {{ include "release-server.tokensFiles" . }}
{{- end }}
{{- if .Values.tls.secretName }}
tls_certificate: {{ include "release-server.tlsDirectory" . }}/tls.crt
tls_key: {{ include "release-server.tlsDirectory" . }}/tls.key
{{- end }}
{{- if .Values.bucket.existingSecret }}
bucket_access_key_file: {{ include "release-server.bucketKeysDirectory" . }}/access-key
bucket_secret_key_file: {{ include "release-server.bucketKeysDirectory" . }}/secret-key
{{- end }}
{{- if .Values.bucket.caConfigMap }}
bucket_ca_file: {{ include "release-server.bucketAuthoritiesDirectory" . }}/ca.crt
{{- end }}
{{- range $key, $value := .Values.config }}
{{ $key }}: {{ toRawJson $value }}
{{- end }}
{{- end -}}

{{/* A duration of the server's settings, in seconds. */}}
{{- define "release-server.seconds" -}}
{{- $text := toString . -}}
{{- mul (regexFind "^[0-9]+" $text | int64) (hasSuffix "m" $text | ternary 60 1) -}}
{{- end -}}

{{/* A quantity of memory or storage as Kubernetes writes it, such as 128Mi or 1.5G, in bytes. */}}
{{- define "release-server.bytes" -}}
{{- $text := toString . -}}
{{- $units := dict "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624
      "Ei" 1152921504606846976 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 "P" 1000000000000000
      "E" 1000000000000000000 "m" 0.001 -}}
{{- $unit := get $units (regexFind "[A-Za-z]+$" $text) | default 1 -}}
{{- mulf (regexFind "^[0-9.]+" $text | float64) ($unit | float64) | ceil | int64 -}}
{{- end -}}

{{/* Number of pods in a number or percentage of the replicas; Kubernetes rounds percentages up. Takes a list:
the value, the replicas. */}}
{{- define "release-server.pods" -}}
{{- $text := toString (index . 0) -}}
{{- if hasSuffix "%" $text -}}
{{- divf (mulf (trimSuffix "%" $text | float64) (index . 1)) 100 | ceil | int -}}
{{- else -}}
{{- int $text -}}
{{- end -}}
{{- end -}}

{{/* The update strategy: old and new pods overlap only if several pods can mount the volume. */}}
{{- define "release-server.strategy" -}}
{{- $shared := or (not .Values.persistence.enabled) (eq .Values.persistence.accessMode "ReadWriteMany") -}}
{{- $shared | ternary "RollingUpdate" "Recreate" -}}
{{- end -}}

