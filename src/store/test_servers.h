// For tests: a MongoDB-compatible server of its own for each test program, on a free port and in a temporary
// folder, ended with it.
//
// The programs are named by MAEIL_MONGO_SECANTUS (secantusd-py) and MAEIL_MONGO_FERRET (built from
// tools/ferret), default: where `make build/peers/mongo-ready` puts them. Without a program the tests are
// skipped; where that target says the programs are there and MAEIL_REQUIRE_DATA is set, they fail.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "base/file.h"
#include "store/test_support.h"

namespace maeil::store {

inline int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(socket, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    std::abort();
  ::close(socket);
  return ntohs(address.sin_port);
}

inline bool accepts(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  const bool connected = ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(socket);
  return connected;
}

class TestServer {
 public:
  enum class Kind { kSecantus, kFerret };

  // "" when there is none on this machine.
  static std::string program(Kind kind) {
    const char* named = std::getenv(kind == Kind::kSecantus ? "MAEIL_MONGO_SECANTUS" : "MAEIL_MONGO_FERRET");
    const std::filesystem::path usual =
        std::filesystem::path(MAEIL_SOURCE_DIR) / "build/peers" /
        (kind == Kind::kSecantus ? "secantus/bin/secantusd-py" : "ferret/fserver");
    const std::filesystem::path path = named && *named ? std::filesystem::path(named) : usual;
    std::error_code error;
    return std::filesystem::exists(path, error) ? path.string() : "";
  }
  static bool must_be_there() {
    return std::getenv("MAEIL_REQUIRE_DATA") &&
           std::filesystem::exists(std::filesystem::path(MAEIL_SOURCE_DIR) / "build/peers/mongo-ready");
  }

  explicit TestServer(Kind kind) : kind_(kind), port_(free_port()) { start(); }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;
  ~TestServer() {
    if (::getpid() == owner_) kill();
  }

  // One for the whole program; what a test leaves is in a database of its own.
  static TestServer& shared(Kind kind) {
    static std::unique_ptr<TestServer> servers[2];
    auto& server = servers[kind == Kind::kSecantus ? 0 : 1];
    if (!server) server = std::make_unique<TestServer>(kind);
    return *server;
  }

  void start() {
    const std::string port = std::to_string(port_), address = "127.0.0.1:" + port,
                      folder = folder_.path().string(), name = program(kind_);
    std::vector<std::string> words =
        kind_ == Kind::kSecantus
            ? std::vector<std::string>{name, "--host",         "127.0.0.1", "--port",
                                       port, "--storage-path", folder,      "--enable-test-commands"}
            : std::vector<std::string>{name, "-listen", address, "-dir", folder};
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const std::string log = folder + "/log";
    for (;;) {
      pid_ = ::fork();
      if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
        ::dup2(out, 1);
        ::dup2(out, 2);
        ::execv(arguments[0], arguments.data());
        ::_exit(127);
      }
      // As long as it lives: on a loaded machine a start may take a minute.
      bool up = accepts(port_);
      for (int status = 0; !up && ::waitpid(pid_, &status, WNOHANG) == 0; up = accepts(port_))
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
      if (up) return;
      // Somebody's connection has the port for a moment: it was free when it was chosen.
      const auto text = read_file(log).value_or("");
      if (text.find("ddress already in use") == std::string::npos) {
        std::fprintf(stderr, "%s does not start: %s\n", name.c_str(), text.c_str());
        std::abort();
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
  }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  std::string uri(const std::string& options = "") const {
    return "mongodb://127.0.0.1:" + std::to_string(port_) + "/" + options;
  }
  int port() const { return port_; }

 private:
  Kind kind_;
  TempFolder folder_;
  int port_;
  pid_t owner_ = ::getpid();
  pid_t pid_ = -1;
};

}  // namespace maeil::store
