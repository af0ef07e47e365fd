// For tests: a network that fails at a chosen write. It stands on a port of its own between one client and a
// MongoDB server, counts the client's writes (insert, update, delete, findAndModify) and lets one of them go
// wrong: lost, held back and delivered later, answered in vain, delivered twice, or stopped with its client.
//
// It reads the wire protocol's messages (a 16-byte header; OP_MSG's body names the command and its
// collection), not what is in them, and knows no TLS and no compression. The client is told that the server
// stands alone, whatever it says of itself: as with a stand-alone mongod the driver then gives its writes no
// number by which a server would know a second one (no retryable writes), and stays on this port.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace maeil::store {

// One command of a client as far as it is looked at: "update" and "models". Empty when it is no OP_MSG.
struct WireCommand {
  std::string name, collection;
  bool is_write() const {
    return name == "insert" || name == "update" || name == "delete" || name == "findAndModify";
  }
};

inline WireCommand wire_command(std::string_view message) {
  constexpr size_t kBody = 16 + 4 + 1;  // header, flags, the first section's kind (0: the body follows)
  int32_t operation = 0;
  if (message.size() < kBody + 5) return {};
  std::memcpy(&operation, message.data() + 12, 4);
  if (operation != 2013 || message[kBody - 1] != 0) return {};
  const std::string_view field =
      message.substr(kBody + 4);  // its type, its name, then a text's length and bytes
  const size_t end = field.find('\0', 1);
  if (end == std::string_view::npos) return {};
  WireCommand command{std::string(field.substr(1, end - 1)), ""};
  if (field[0] == 2 && field.size() > end + 5) command.collection = field.data() + end + 5;
  return command;
}

class TestProxy {
 public:
  enum class Fault {
    kNone,
    kLose,        // not delivered, and the connection is cut
    kHold,        // not delivered until deliver_late(), and the connection is cut
    kLoseAnswer,  // delivered; its answer is thrown away, and the connection is cut
    kTwice,       // delivered and answered, and once more by deliver_late()
    kFreeze,      // nothing passes any more, in no connection, until thaw(); then it, and all that follows
  };
  struct Plan {
    int at = 0;  // which write from now on, from 1
    Fault fault = Fault::kNone;
    bool client_dies = false;                  // all its connections are cut and new ones refused, for ever
    std::function<void()> before_cut = [] {};  // on the proxy's thread
  };

  explicit TestProxy(int server_port) : server_port_(server_port) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    auto* place = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, place, size) || ::listen(listener_, 64)) std::abort();
    if (::getsockname(listener_, place, &size)) std::abort();
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] {
      while (!stopped_) turn();
    });
  }
  ~TestProxy() {
    stopped_ = true;
    thread_.join();
    die();
  }
  TestProxy(const TestProxy&) = delete;
  TestProxy& operator=(const TestProxy&) = delete;

  std::string uri(const std::string& options) const {
    return "mongodb://127.0.0.1:" + std::to_string(port_) + "/" + options;
  }
  // One fault in a proxy's life; an empty plan takes back one that has not happened.
  void arm(Plan plan) {
    std::lock_guard lock(mutex_);
    plan_ = std::move(plan);
    writes_ = 0;
  }
  bool begun() const { return begun_; }  // the fault happens
  bool fired() const { return fired_; }  // and the connection is cut
  std::string victim() const {           // "update models"
    std::lock_guard lock(mutex_);
    return victim_;
  }

  void thaw() { thawed_ = true; }

  // The write that was held back, on a connection of its own. True when the server carried it out and said
  // so.
  bool deliver_late() {
    std::string message;
    {
      std::lock_guard lock(mutex_);
      message = held_;
    }
    const int server = connect_to_server();
    const bool sent = server >= 0 && !message.empty() && send_all(server, message);
    std::string answer;
    while (sent && complete(answer) == 0 && receive(server, answer)) {
    }
    ::close(server);
    static constexpr char kOk[] = "\x01ok\0\0\0\0\0\0\0\xf0\x3f";  // the field ok: 1.0
    return answer.find(std::string_view(kOk, sizeof kOk - 1)) != std::string::npos;
  }

 private:
  struct Pair {
    int client, server;
    std::string from_client, from_server;  // what is there of the next messages
    bool drop_answer = false;
  };

  static sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port));
    return address;
  }
  static void quick(int socket) {
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  int connect_to_server() const {
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{10, 0};
    ::setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    quick(server);
    const sockaddr_in address = loopback(server_port_);
    if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return server;
    ::close(server);
    return -1;
  }
  static bool send_all(int to, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }
  static bool receive(int from, std::string& bytes) {
    char piece[65536];
    const ssize_t got = ::recv(from, piece, sizeof piece, 0);
    if (got > 0) bytes.append(piece, static_cast<size_t>(got));
    return got > 0;
  }
  // The length of the first message when all of it is there, else 0.
  static size_t complete(std::string_view bytes) {
    uint32_t length = 0;
    if (bytes.size() < 16) return 0;
    std::memcpy(&length, bytes.data(), sizeof length);
    return length >= 16 && bytes.size() >= length ? length : 0;
  }
  static std::string take(std::string& bytes) {
    std::string message = bytes.substr(0, complete(bytes));
    bytes.erase(0, message.size());
    return message;
  }
  // Under a name of the same length nobody asks for, so that the lengths around it stay right.
  static void hide_set_name(std::string& message) {
    static constexpr std::string_view kField("\2setName\0", 9);
    if (const size_t at = message.find(kField); at != std::string::npos)
      message.replace(at + 1, 7, "noSetIs");
  }

  void turn() {
    std::vector<pollfd> ready;
    if (listener_ >= 0) ready.push_back({listener_, POLLIN, 0});
    for (const Pair& pair : pairs_) {
      ready.push_back({pair.client, POLLIN, 0});
      ready.push_back({pair.server, POLLIN, 0});
    }
    if (::poll(ready.data(), ready.size(), 20) <= 0) return;
    const auto has_news = [&](int socket) {
      for (const pollfd& one : ready) {
        if (one.fd == socket && one.revents != 0) return true;
      }
      return false;
    };
    if (listener_ >= 0 && has_news(listener_)) accept_one();
    dead_ = false;
    for (auto pair = pairs_.begin(); pair != pairs_.end() && !dead_;) {
      const bool client = has_news(pair->client), server = has_news(pair->server);
      const bool open = (!client || from_client(*pair)) && (!server || from_server(*pair));
      if (dead_) break;
      if (!open) cut(*pair);
      pair = open ? std::next(pair) : pairs_.erase(pair);
    }
    if (dead_) die();
    if (begun_) fired_ = true;
  }
  void accept_one() {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC), server = connect_to_server();
    if (client >= 0 && server >= 0) {
      quick(client);
      pairs_.push_back({client, server, "", "", false});
      return;
    }
    ::close(client);
    ::close(server);
  }
  // False: this connection is to be cut.
  bool from_client(Pair& pair) {
    if (!receive(pair.client, pair.from_client)) return false;
    while (complete(pair.from_client) > 0) {
      const std::string message = take(pair.from_client);
      const WireCommand command = wire_command(message);
      const Fault fault = command.is_write() ? fault_of(command, message) : Fault::kNone;
      if (fault == Fault::kLose || fault == Fault::kHold) return happen();
      if (fault == Fault::kFreeze) freeze();
      if (!send_all(pair.server, message)) return false;
      pair.drop_answer |= fault == Fault::kLoseAnswer;
      if (fault == Fault::kTwice) (void)happen();
    }
    return true;
  }
  bool from_server(Pair& pair) {
    if (!receive(pair.server, pair.from_server)) return false;
    while (complete(pair.from_server) > 0) {
      std::string message = take(pair.from_server);
      if (pair.drop_answer) return happen();
      hide_set_name(message);
      if (!send_all(pair.client, message)) return false;
    }
    return true;
  }
  Fault fault_of(const WireCommand& command, const std::string& message) {
    std::lock_guard lock(mutex_);
    if (++writes_ != plan_.at) return Fault::kNone;
    victim_ = command.name + " " + command.collection;
    held_ = message;
    return plan_.fault;
  }
  bool happen() {
    begun_ = true;
    plan_.before_cut();
    dead_ = plan_.client_dies;
    return false;
  }
  void freeze() {
    begun_ = fired_ = true;
    while (!thawed_ && !stopped_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  // Also where a child of the test's process has got hold of the sockets.
  static void cut(const Pair& pair) {
    ::shutdown(pair.client, SHUT_RDWR);
    ::shutdown(pair.server, SHUT_RDWR);
    ::close(pair.client);
    ::close(pair.server);
  }
  void die() {
    for (const Pair& pair : pairs_) cut(pair);
    pairs_.clear();
    if (listener_ >= 0) ::close(listener_);
    listener_ = -1;
  }

  const int server_port_;
  int listener_ = -1, port_ = 0;
  std::list<Pair> pairs_;
  bool dead_ = false;  // of the proxy's thread
  std::atomic<bool> stopped_{false}, begun_{false}, fired_{false}, thawed_{false};
  mutable std::mutex mutex_;  // of these:
  Plan plan_;
  int writes_ = 0;
  std::string victim_, held_;
  std::thread thread_;
};

}  // namespace maeil::store
