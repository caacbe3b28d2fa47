module release-server-client

go 1.22

require github.com/google/go-github/v66 v66.0.0

require github.com/google/go-querystring v1.1.0 // indirect
