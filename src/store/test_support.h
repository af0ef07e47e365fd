// For tests of store/ and dag/: a folder that goes away, and child processes that can be killed. Only for
// tests.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>

namespace maeil::store {

// In memory where there is room: what a test syncs then costs nothing, and a killed process loses nothing
// there either.
inline std::filesystem::path temporary_place() {
  std::error_code error;
  const std::filesystem::path memory = "/dev/shm";
  const bool roomy = std::filesystem::is_directory(memory, error) &&
                     std::filesystem::space(memory, error).available > (uint64_t{1} << 30);
  return !std::getenv("TMPDIR") && roomy && !error ? memory : std::filesystem::temp_directory_path();
}

class TempFolder {
 public:
  TempFolder() {
    std::string name = (temporary_place() / "maeil-test-XXXXXX").string();
    if (!::mkdtemp(name.data())) std::abort();
    path_ = name;
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// body() in a forked process; its value is the exit status. The child opens stores of its own.
class Child {
 public:
  explicit Child(const std::function<int()>& body) : pid_(::fork()) {
    if (pid_ == 0) ::_exit(body());
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) kill();
  }
  pid_t pid() const { return pid_; }
  int wait() {  // the exit status, or minus the signal that ended it
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  int kill() {
    ::kill(pid_, SIGKILL);
    return wait();
  }

 private:
  pid_t pid_;
};

// A pipe on which a child says that it got somewhere.
class Signpost {
 public:
  Signpost() {
    if (::pipe(ends_) != 0) std::abort();
  }
  Signpost(const Signpost&) = delete;
  Signpost& operator=(const Signpost&) = delete;
  ~Signpost() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  void raise() { (void)!::write(ends_[1], "x", 1); }
  void await() {
    char byte;
    (void)!::read(ends_[0], &byte, 1);
  }

 private:
  int ends_[2];
};

}  // namespace maeil::store
