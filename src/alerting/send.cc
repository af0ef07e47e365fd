// One attempt by each kind of channel: HTTP and SMTP by libcurl, a command by the shell.
#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <memory>
#include <thread>

#include "alerting/channels.h"
#include "alerting/libcurl.h"
#include "base/hash.h"
#include "base/split.h"

extern char** environ;

namespace maeil::alerting {
namespace {

using std::chrono::milliseconds;

struct FreeCurl {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  void operator()(curl_mime* mime) const { curl_mime_free(mime); }
};
using Handle = std::unique_ptr<CURL, FreeCurl>;
using List = std::unique_ptr<curl_slist, FreeCurl>;

void append(List& list, const std::string& line) {
  curl_slist* const shorter = list.release();
  curl_slist* const longer = curl_slist_append(shorter, line.c_str());
  list.reset(longer ? longer : shorter);
}

size_t discard(char*, size_t size, size_t count, void*) { return size * count; }

// The lines of a mail server, which answers each recipient of its own before it takes the message in (354).
struct Recipients {
  const std::vector<std::string>& names;
  std::vector<std::string> codes = {};  // of the answers so far
  std::string refused = {};             // "a@example.org (550)"
};

size_t take_mail_line(char* bytes, size_t size, size_t count, void* to) {
  const std::string_view line(bytes, size * count);
  auto& recipients = *static_cast<Recipients*>(to);
  if (line.size() < 4 || line[3] == '-') return line.size();  // goes on in the next line
  auto& codes = recipients.codes;
  codes.emplace_back(line.substr(0, 3));
  const size_t names = recipients.names.size();
  if (codes.back() != "354" || codes.size() <= names) return line.size();
  for (size_t k = 0; k < names; ++k) {
    const std::string& code = codes[codes.size() - 1 - names + k];
    if (code[0] == '2') continue;
    recipients.refused +=
        fmt::format("{}{} ({})", recipients.refused.empty() ? "" : ", ", recipients.names[k], code);
  }
  return line.size();
}

size_t take_header(char* bytes, size_t size, size_t count, void* to) {
  constexpr std::string_view kName = "retry-after:";
  const std::string_view line(bytes, size * count);
  bool same = line.size() > kName.size();
  for (size_t i = 0; same && i < kName.size(); ++i)
    same = std::tolower(static_cast<unsigned char>(line[i])) == kName[i];
  if (same) {
    std::string value(line.substr(kName.size()));
    value.erase(0, value.find_first_not_of(" \t"));
    value.erase(value.find_last_not_of(" \t\r\n") + 1);
    *static_cast<std::string*>(to) = std::move(value);
  }
  return size * count;
}

Handle new_handle(const std::string& ca_file, const std::string& url, milliseconds limit) {
  Handle out(curl_easy_init());
  if (!out) return out;
  curl_easy_setopt(out.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(out.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(limit.count()));
  curl_easy_setopt(out.get(), CURLOPT_NOSIGNAL, 1L);
  // How long a mail server may think over an answer, that to QUIT included; and a resolver that hangs is
  // left.
  curl_easy_setopt(out.get(), CURLOPT_SERVER_RESPONSE_TIMEOUT,
                   static_cast<long>(std::max<int64_t>(1, limit.count() / 1000)));
  if (curl_easy_setopt(out.get(), CURLOPT_PROTOCOLS_STR, "http,https,smtp,smtps") != CURLE_OK ||
      curl_easy_setopt(out.get(), CURLOPT_QUICK_EXIT, 1L) != CURLE_OK)
    return nullptr;
  curl_easy_setopt(out.get(), CURLOPT_WRITEFUNCTION, discard);
  curl_easy_setopt(out.get(), CURLOPT_USERAGENT, "maeil");
  if (!ca_file.empty()) curl_easy_setopt(out.get(), CURLOPT_CAINFO, ca_file.c_str());
  return out;
}

// libcurl's own words have no address in them, which may be a secret.
Answer failed(const std::string& channel, CURLcode code) {
  return {.kind = Answer::Kind::kLater,
          .text = fmt::format("{} is not reached: {}", channel, curl_easy_strerror(code))};
}

Answer post(const Channels& channels, const std::string& channel, const std::string& url,
            const std::string& body, const std::vector<std::string>& more, milliseconds limit) {
  const Handle handle = new_handle(channels.ca_file, url, limit);
  if (!handle) return {.text = "libcurl 7.87 or newer is needed"};
  List headers;
  append(headers, "Content-Type: application/json");
  append(headers, "Expect:");
  for (const auto& header : more) append(headers, header);
  std::string retry_after;
  curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDS, body.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(handle.get(), CURLOPT_HEADERDATA, &retry_after);
  if (const CURLcode code = curl_easy_perform(handle.get()); code != CURLE_OK) return failed(channel, code);
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  return answer_of_http(channel, status, retry_after);
}

// Names of rules and datasets are ASCII; what a foreign document made of them is no header.
std::string header_text(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = '?';
  }
  return text;
}

Answer mail(const Channels& channels, const Message& message, milliseconds limit) {
  const Handle handle = new_handle(channels.ca_file, channels.smtp_url, limit);
  if (!handle) return {.text = "libcurl 7.87 or newer is needed"};
  List recipients, headers, alternative;
  std::vector<std::string> names;
  for (const auto one : split(channels.email_to, ',')) {
    if (one.empty()) continue;
    names.emplace_back(one);
    append(recipients, names.back());
  }
  Recipients answered{names};
  append(headers, fmt::format("Date: {:%a, %d %b %Y %H:%M:%S} +0000", fmt::gmtime(std::time(nullptr))));
  append(headers, "From: <" + channels.email_from + ">");
  append(headers, "To: " + channels.email_to);
  append(headers, "Subject: " + header_text(subject(message)));
  append(headers,
         fmt::format("Message-ID: <{}@{}>", message.id.empty() ? store::new_object_id(now()) : message.id,
                     channels.email_from.substr(channels.email_from.find('@') + 1)));
  const std::unique_ptr<curl_mime, FreeCurl> mime(curl_mime_init(handle.get()));
  curl_mime* parts = curl_mime_init(handle.get());
  for (const auto& [text, type] : {std::pair(plain_text(message), "text/plain; charset=utf-8"),
                                   std::pair(html(message), "text/html; charset=utf-8")}) {
    curl_mimepart* part = curl_mime_addpart(parts);
    curl_mime_data(part, text.data(), text.size());
    curl_mime_type(part, type);
    curl_mime_encoder(part, "base64");
  }
  curl_mimepart* whole = curl_mime_addpart(mime.get());
  curl_mime_subparts(whole, parts);
  curl_mime_type(whole, "multipart/alternative");
  append(alternative, "Content-Disposition: inline");
  curl_mime_headers(whole, alternative.get(), 0);
  // A password never goes over a connection that anybody reads.
  const bool has_login = channels.smtp_url.find('@') != std::string::npos;
  curl_easy_setopt(handle.get(), CURLOPT_USE_SSL,
                   static_cast<long>(has_login ? CURLUSESSL_ALL : CURLUSESSL_TRY));
  curl_easy_setopt(handle.get(), CURLOPT_MAIL_FROM, channels.email_from.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_MAIL_RCPT, recipients.get());
  curl_easy_setopt(handle.get(), CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);  // one that is dead silences no other
  curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle.get(), CURLOPT_MIMEPOST, mime.get());
  curl_easy_setopt(handle.get(), CURLOPT_HEADERFUNCTION, take_mail_line);
  curl_easy_setopt(handle.get(), CURLOPT_HEADERDATA, &answered);
  const CURLcode code = curl_easy_perform(handle.get());
  if (code == CURLE_OK)
    return {.kind = Answer::Kind::kDelivered, .text = "email was taken in", .left_out = answered.refused};
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  Answer out = failed("email", code);
  if (status >= 500 && status < 600) {  // RFC 5321: the same again gets the same
    out.kind = Answer::Kind::kRefused;
    out.text = fmt::format("the mail server refuses it with {}", status);
  }
  return out;
}

// Runs the command in a process group of its own, the message on its standard input and its output on our
// standard error, and ends the group when the time is over.
Answer run_command(const Channels& channels, const Message& message, milliseconds limit) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return {.text = "the command has no standard input"};
  ::signal(SIGCHLD, SIG_DFL);  // whoever started us may have ignored it: then nobody learns how a child ended
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  sigset_t defaults;
  ::sigemptyset(&defaults);
  ::sigaddset(&defaults, SIGPIPE);
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, ends[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  const char* arguments[] = {"/bin/sh", "-c", channels.command.c_str(), nullptr};
  pid_t child = 0;
  const int spawned =
      ::posix_spawn(&child, "/bin/sh", &files, &attributes, const_cast<char**>(arguments), environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  ::close(ends[0]);
  if (spawned != 0) {
    ::close(ends[1]);
    return {.text = "the command does not start"};
  }
  const auto deadline = std::chrono::steady_clock::now() + limit;
  const std::string body = webhook_body(message) + "\n";
  ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  size_t written = 0;
  int input = ends[1];
  const auto close_input = [&] {
    if (input >= 0) ::close(input);
    input = -1;
  };
  Answer out{.text = fmt::format("the command did not end within {} s", (limit.count() + 999) / 1000)};
  int status = 0;
  for (bool over = false; !over;) {
    if (input >= 0) {
      const ssize_t n = ::write(input, body.data() + written, body.size() - written);
      if (n > 0) written += static_cast<size_t>(n);
      if (written == body.size() || (n < 0 && errno != EAGAIN && errno != EINTR)) close_input();
    }
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child && WIFEXITED(status)) {
      out.text = fmt::format("the command ended with {}", WEXITSTATUS(status));
      if (WEXITSTATUS(status) == 0) out.kind = Answer::Kind::kDelivered;
    } else if (ended != 0) {
      out.text = ended < 0 ? "how the command ended is not known" : "the command was ended by a signal";
    }
    over = ended != 0;
    if (!over && std::chrono::steady_clock::now() >= deadline) {
      ::kill(-child, SIGKILL);
      ::waitpid(child, nullptr, 0);
      over = true;
    }
    if (!over) std::this_thread::sleep_for(milliseconds(5));
  }
  close_input();
  ::signal(SIGPIPE, before);
  return out;
}

}  // namespace

Answer call(const std::string& url, const std::string& ca_file, milliseconds limit) {
  if (const auto loaded = load_curl(); !loaded) return {.text = loaded.error().message};
  const Handle handle = new_handle(ca_file, url, limit);
  if (!handle) return {.text = "libcurl 7.87 or newer is needed"};
  if (const CURLcode code = curl_easy_perform(handle.get()); code != CURLE_OK) return failed("it", code);
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  return answer_of_http("it", status, "");
}

Answer send(const Channels& channels, std::string_view channel, const Message& message, milliseconds limit) {
  if (channel == "command") return run_command(channels, message, limit);
  if (const auto loaded = load_curl(); !loaded) return {.text = loaded.error().message};
  if (channel == "email") return mail(channels, message, limit);
  if (channel == "slack")
    return post(channels, "slack", channels.slack_webhook_url, slack_body(message), {}, limit);
  if (channel == "pagerduty")
    return post(channels, "pagerduty", channels.pagerduty_url,
                pagerduty_body(message, channels.pagerduty_routing_key), {}, limit);
  if (channel == "webhook") {
    const std::string body = webhook_body(message);
    std::vector<std::string> headers;
    if (!channels.webhook_secret.empty())
      headers.push_back("X-Maeil-Signature-256: sha256=" + hmac_sha256_hex(channels.webhook_secret, body));
    return post(channels, "webhook", channels.webhook_url, body, headers, limit);
  }
  return {.kind = Answer::Kind::kRefused, .text = fmt::format("there is no channel {}", channel)};
}

}  // namespace maeil::alerting
