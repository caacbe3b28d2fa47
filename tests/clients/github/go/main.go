// go-github, as its users write it. Built and run by github.sh.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"

	"github.com/google/go-github/v66/github"
)

const (
	owner, repository = "any", "tool"
	name              = "tool-v1.2.0-x86_64-unknown-linux-gnu.tar.gz"
)

func must[T any](value T, _ any, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		fail("%v", err)
	}
}

func same(what string, got, expected any) {
	if !reflect.DeepEqual(got, expected) {
		fail("%s is %v, not %v", what, got, expected)
	}
}

func fail(format string, values ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
	os.Exit(1)
}

func main() {
	base, work := os.Getenv("BASE"), os.Getenv("WORK")
	client, err := github.NewClient(nil).WithAuthToken(os.Getenv("TOKEN")).
		WithEnterpriseURLs(base, base)
	check(err)
	// It adds /api/uploads to the second, which is GitHub Enterprise's alone.
	client.UploadURL = client.BaseURL
	ctx, repositories := context.Background(), client.Repositories

	var tags []string
	options := &github.ListOptions{PerPage: 2}
	for {
		page, response, err := repositories.ListReleases(ctx, owner, repository, options)
		check(err)
		for _, release := range page {
			tags = append(tags, release.GetTagName())
		}
		if response.NextPage == 0 {
			break
		}
		options.Page = response.NextPage
	}
	same("the list", tags, []string{"v2.0.0-rc.1", "v1.2.0", "v1.1.0", "unversioned"})
	latest := must(repositories.GetLatestRelease(ctx, owner, repository))
	same("latest", latest.GetTagName(), "v1.2.0")
	tagged := must(repositories.GetReleaseByTag(ctx, owner, repository, "v1.2.0"))
	same("by tag", tagged, latest)
	var asset *github.ReleaseAsset
	for _, each := range latest.Assets {
		if each.GetName() == name {
			asset = each
		}
	}
	reader, _, err := repositories.DownloadReleaseAsset(ctx, owner, repository, asset.GetID(), http.DefaultClient)
	check(err)
	downloaded, err := io.ReadAll(reader)
	check(err)
	expected, err := os.ReadFile(filepath.Join(work, name))
	check(err)
	same("the download", sha256.Sum256(downloaded), sha256.Sum256(expected))

	content := make([]byte, 100_000)
	rand.Read(content)
	path := filepath.Join(work, "go.new")
	check(os.WriteFile(path, content, 0o600))
	file, err := os.Open(path)
	check(err)
	upload := &github.UploadOptions{Name: "new-v1.2.0.bin"}
	uploaded := must(repositories.UploadReleaseAsset(ctx, owner, repository, latest.GetID(), upload, file))
	same("the upload", uploaded.GetSize(), len(content))
	answer, err := http.Get(uploaded.GetBrowserDownloadURL())
	check(err)
	stored, err := io.ReadAll(answer.Body)
	check(err)
	same("what was uploaded", bytes.Equal(stored, content), true)
	wanted := &github.RepositoryRelease{TagName: github.String("v3.0.0")}
	made := must(repositories.CreateRelease(ctx, owner, repository, wanted))
	same("the made release", made.GetTagName(), "v3.0.0")
	_, err = repositories.DeleteReleaseAsset(ctx, owner, repository, uploaded.GetID())
	check(err)
	_, response, err := repositories.GetReleaseByTag(ctx, owner, repository, "v9.9.9")
	same("a tag that is not there", err != nil && response.StatusCode == 404, true)
}
