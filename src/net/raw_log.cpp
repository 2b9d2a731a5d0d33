// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/raw_log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>

#include "base/text.hpp"

namespace syncline::net {
namespace {

constexpr std::string_view hidden = "[hidden]";

bool contains_word_of_secrecy(std::string_view lower) {
  static constexpr std::array words = {"authorization", "authentication", "cookie",     "token",
                                       "secret",        "password",       "passwd",     "pwd",
                                       "api-key",       "apikey",         "api_key",    "assertion",
                                       "signature",     "credential",     "private-key"};
  return std::ranges::any_of(words,
                             [&](const char* word) { return lower.find(word) != std::string_view::npos; });
}

/// Names of parameters (forms, JSON, queries) whose values are secrets.
bool is_secret_parameter(std::string_view name) {
  const std::string lower = text::to_lower_ascii(name);
  if (contains_word_of_secrecy(lower)) {
    // What is about tokens but is none, and is needed to understand a log.
    return lower != "token_type" && lower != "token_endpoint" && lower != "password_expired" &&
           lower != "client_assertion_type";
  }
  static constexpr std::array exact = {"code", "pass", "device_code", "user_code", "code_verifier",
                                       "sig",  "key",  "jwt",         "nonce",     "session",
                                       "sid",  "saml", "samlresponse"};
  return std::ranges::any_of(exact, [&](const char* word) { return lower == word; });
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// "a=1&password=x&b=2"
std::string redact_parameters(std::string_view parameters) {
  std::string out;
  for (std::size_t at = 0; at <= parameters.size();) {
    const std::size_t end = std::min(parameters.find_first_of("&;", at), parameters.size());
    const std::string_view one = parameters.substr(at, end - at);
    const std::size_t equals = one.find('=');
    if (equals != std::string_view::npos &&
        is_secret_parameter(text::percent_decoded(one.substr(0, equals)))) {
      out.append(one.substr(0, equals + 1)).append(hidden);
    } else {
      out.append(one);
    }
    if (end < parameters.size()) out += parameters[end];
    at = end + 1;
  }
  return out;
}

/// In a request line or URL: user information and the secret parameters of queries and fragments.
std::string redact_target(std::string_view text) {
  std::string out(text);
  const std::size_t scheme = out.find("://");
  if (scheme != std::string::npos) {
    const std::size_t authority = scheme + 3;
    const std::size_t end = std::min(out.find_first_of("/?# ", authority), out.size());
    const std::size_t at = out.rfind('@', end);
    if (at != std::string::npos && at >= authority && at < end)
      out.replace(authority, at - authority, hidden);
  }
  const std::size_t question = out.find_first_of("?#");
  if (question == std::string::npos) return out;
  const std::size_t end = std::min(out.find(' ', question), out.size());
  const std::string redacted =
      redact_parameters(std::string_view(out).substr(question + 1, end - question - 1));
  out.replace(question + 1, end - question - 1, redacted);
  return out;
}

/// The end of a JSON string that begins at `at` (a quote): the index of its closing quote, or the end of the
/// text.
std::size_t json_string_end(std::string_view json, std::size_t at) {
  for (std::size_t i = at + 1; i < json.size(); ++i) {
    if (json[i] == '\\') {
      ++i;
    } else if (json[i] == '"') {
      return i;
    }
  }
  return json.size();
}

/// A JSON string with its \u escapes of ASCII undone: enough to know a name.
std::string json_name(std::string_view quoted) {
  std::string out;
  for (std::size_t i = 0; i < quoted.size(); ++i) {
    if (quoted[i] != '\\' || i + 1 >= quoted.size()) {
      out += quoted[i];
    } else if (quoted[i + 1] == 'u' && i + 5 < quoted.size()) {
      out += static_cast<char>(hex_value(quoted[i + 4]) * 16 + hex_value(quoted[i + 5]));
      i += 5;
    } else {
      out += quoted[++i];
    }
  }
  return out;
}

std::string redact_json(std::string_view json) {
  std::string out;
  std::size_t at = 0;
  while (at < json.size()) {
    const std::size_t quote = json.find('"', at);
    if (quote == std::string_view::npos) break;
    const std::size_t end = json_string_end(json, quote);
    out.append(json.substr(at, std::min(end + 1, json.size()) - at));
    at = std::min(end + 1, json.size());
    std::size_t colon = at;
    while (colon < json.size() && std::string_view(" \t\r\n").find(json[colon]) != std::string_view::npos)
      ++colon;
    if (colon >= json.size() || json[colon] != ':') continue;
    if (!is_secret_parameter(json_name(json.substr(quote + 1, end - quote - 1)))) continue;
    std::size_t value = colon + 1;
    while (value < json.size() && std::string_view(" \t\r\n").find(json[value]) != std::string_view::npos)
      ++value;
    std::size_t value_end = value;
    if (value < json.size() && json[value] == '"') {
      value_end = std::min(json_string_end(json, value) + 1, json.size());
    } else if (value < json.size() && (json[value] == '[' || json[value] == '{')) {
      // A list or object of secrets: hidden up to its end, strings passed over.
      int depth = 0;
      for (; value_end < json.size(); ++value_end) {
        if (json[value_end] == '"') {
          value_end = json_string_end(json, value_end);
          if (value_end == json.size()) break;
        } else if (json[value_end] == '[' || json[value_end] == '{') {
          ++depth;
        } else if ((json[value_end] == ']' || json[value_end] == '}') && --depth == 0) {
          ++value_end;
          break;
        }
      }
    } else {
      value_end = std::min(json.find_first_of(",}]", value), json.size());
    }
    out.append(json.substr(at, value - at)).append("\"").append(hidden).append("\"");
    at = value_end;
  }
  out.append(json.substr(at));
  return out;
}

std::string redact_xml(std::string_view xml) {
  std::string out;
  std::size_t at = 0;
  while (at < xml.size()) {
    const std::size_t open = xml.find('<', at);
    if (open == std::string_view::npos) break;
    const std::size_t close = xml.find('>', open);
    if (close == std::string_view::npos) break;
    out.append(xml.substr(at, close + 1 - at));
    at = close + 1;
    std::string_view name = xml.substr(open + 1, close - open - 1);
    if (name.empty() || name.front() == '/' || name.front() == '?' || name.front() == '!' ||
        name.back() == '/') {
      continue;
    }
    name = name.substr(0, name.find_first_of(" \t\r\n"));
    const std::size_t colon = name.find(':');
    if (colon != std::string_view::npos) name.remove_prefix(colon + 1);
    const std::string lower = text::to_lower_ascii(name);
    if (lower != "password" && lower != "binarysecuritytoken" && lower != "token" && lower != "accesstoken")
      continue;
    const std::size_t end = std::min(xml.find("</", at), xml.size());
    if (end > at) out.append(hidden);
    at = end;
  }
  out.append(xml.substr(at));
  return out;
}

class FileLog final : public RawLog {
 public:
  FileLog(int file, const Clock& clock, RawLogSettings settings, std::uint64_t size)
      : file_(file), clock_(clock), settings_(std::move(settings)), file_octets_(size) {}
  ~FileLog() override { ::close(file_); }

  void header(std::string_view id, Direction direction, std::string_view text) override {
    write(title(id, direction) + "\n" + redact_header(text));
  }

  void body(std::string_view id, Direction direction, std::span<const std::byte> octets) override {
    if (!settings_.bodies) return;
    auto& held = bodies_[key(id, direction)];
    held.octets += octets.size();
    // Kept until its end, so that a secret that lies across two pieces is seen whole.
    const std::size_t room = held.text.size() < settings_.body_octets
                                 ? static_cast<std::size_t>(settings_.body_octets) - held.text.size()
                                 : 0;
    held.text.append(reinterpret_cast<const char*>(octets.data()), std::min(room, octets.size()));
  }

  void end_body(std::string_view id, Direction direction) override {
    if (!settings_.bodies) return;
    const auto found = bodies_.find(key(id, direction));
    if (found == bodies_.end()) return;
    const Held held = std::move(found->second);
    bodies_.erase(found);
    std::string text =
        title(id, direction) + " body, " + std::to_string(held.octets) + " octets\n" + redact_body(held.text);
    if (held.octets > held.text.size()) text += "…";
    write(text + "\n\n");
  }

 private:
  struct Held {
    std::string text;
    std::uint64_t octets = 0;
  };

  static std::string key(std::string_view id, Direction direction) {
    return std::string(direction == Direction::sent ? ">" : "<") + std::string(id);
  }

  std::string title(std::string_view id, Direction direction) const {
    return "[" + std::to_string(clock_.now().time_since_epoch().count()) + " " +
           text::escape_for_display(id) + "] " + (direction == Direction::sent ? ">>>" : "<<<");
  }

  void write(const std::string& text) {
    if (file_octets_ + text.size() > settings_.file_octets) return;
    file_octets_ += text.size();
    std::size_t at = 0;
    while (at < text.size()) {
      const ssize_t count = ::write(file_, text.data() + at, text.size() - at);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return;  // a full disk must not end the traffic
      at += static_cast<std::size_t>(count);
    }
  }

  int file_;
  const Clock& clock_;
  RawLogSettings settings_;
  std::uint64_t file_octets_;
  std::map<std::string, Held> bodies_;
};

}  // namespace

Result<std::unique_ptr<RawLog>> open_raw_log(const Clock& clock, RawLogSettings settings) {
  const auto refuse = [&] {
    return fail(ErrorDomain::local, "cannot-write",
                "cannot write the protocol log \"" + settings.file + "\": " + std::strerror(errno));
  };
  // No symbolic link: the name may lie in a folder that others can write to.
  const int file =
      ::open(settings.file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return refuse();
  struct stat status {};
  // A file that was there already with a wider mode would let others read on.
  if (::fstat(file, &status) != 0 || !S_ISREG(status.st_mode) || ::fchmod(file, 0600) != 0) {
    const auto refused = refuse();
    ::close(file);
    return refused;
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  return std::unique_ptr<RawLog>(std::make_unique<FileLog>(file, clock, std::move(settings), size));
}

std::string redact_header(std::string_view header) {
  std::string out;
  bool first = true;
  for (std::string_view line : text::split(header, '\n')) {
    const bool at_end = line.data() + line.size() == header.data() + header.size();
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::size_t colon = line.find(':');
    if (first) {
      out += redact_target(line);
    } else if (colon == std::string_view::npos) {
      out += line;
    } else {
      const std::string_view name = line.substr(0, colon);
      const std::string_view value = text::trim(line.substr(colon + 1));
      const std::string lower = text::to_lower_ascii(name);
      out.append(name).append(": ");
      if (lower == "www-authenticate" || lower == "proxy-authenticate") {
        const std::string_view scheme = value.substr(0, value.find(' '));
        out += scheme;
        if (scheme.size() < value.size()) {
          // Bearer's parameters (realm, authorization_uri) are what a log is read for; handshake tokens are
          // not.
          const bool token =
              text::equals_ignore_case(scheme, "NTLM") || text::equals_ignore_case(scheme, "Negotiate");
          out += token ? " " + std::string(hidden) : std::string(value.substr(scheme.size()));
        }
      } else if (contains_word_of_secrecy(lower)) {
        out += hidden;
      } else if (lower == "location" || lower == "content-location" || lower == "referer") {
        out += redact_target(value);
      } else {
        out += value;
      }
    }
    first = false;
    if (!at_end) out += "\r\n";
  }
  return out;
}

std::string redact_body(std::string_view body) {
  const std::string_view start = text::trim(body.substr(0, 64));
  if (start.starts_with('{') || start.starts_with('[')) return redact_json(body);
  if (start.starts_with('<') || start.starts_with("\xEF\xBB\xBF<")) return redact_xml(body);
  // A form is one line of names and values; anything else has nothing we could know.
  const std::size_t line = body.find_first_of("\r\n");
  if (body.find('=') < line) return redact_parameters(body);
  return std::string(body);
}

}  // namespace syncline::net
