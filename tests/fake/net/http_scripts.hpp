// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Peers that say exactly what a test wants, and the little things that all HTTP tests need.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/http_client.hpp"
#include "net/testing/virtual_world.hpp"

namespace syncline::net::testing {

inline HttpRequest get(std::string_view url) {
  HttpRequest request;
  request.url = parse_url(url).value();
  return request;
}

inline HttpRequest post(std::string_view url, std::string body) {
  HttpRequest request = get(url);
  request.method = "POST";
  request.body = std::make_shared<StringSource>(std::move(body));
  return request;
}

/// What a scripted server has seen.
struct Seen {
  std::vector<std::string> requests;       ///< header and body of each, as they came
  std::vector<std::size_t> on_connection;  ///< the number of the connection each came on
  std::size_t connections = 0;
};

/// One answer: raw octets, and what happens then.
struct Answer {
  std::string octets;
  bool close = false;
  std::chrono::milliseconds between{0};  ///< wait between two octets (a slow server)
};

/// For the n-th request (from 0) with its text.
using Script = std::function<Answer(std::size_t nth, const std::string& request)>;

inline asio::awaitable<void> play(VirtualWorld& world, StreamPtr stream, std::shared_ptr<Seen> seen,
                                  Script script) {
  const std::size_t connection = seen->connections++;
  std::string text;
  std::vector<std::byte> buffer(64 * 1024);
  for (;;) {
    const std::size_t header = text.find("\r\n\r\n");
    std::size_t length = std::string::npos;
    if (header != std::string::npos) {
      const std::size_t field = text.find("Content-Length: ");
      const std::size_t body = field < header ? std::stoul(text.substr(field + 16)) : 0;
      if (text.size() >= header + 4 + body) length = header + 4 + body;
      if (text.find("Transfer-Encoding: chunked") < header && text.ends_with("0\r\n\r\n"))
        length = text.size();
    }
    if (length == std::string::npos) {
      auto count = co_await stream->read_some(buffer);
      if (!count || *count == 0) co_return;
      text.append(reinterpret_cast<const char*>(buffer.data()), *count);
      continue;
    }
    const std::string request = text.substr(0, length);
    text.erase(0, length);
    seen->requests.push_back(request);
    seen->on_connection.push_back(connection);
    const Answer answer = script(seen->requests.size() - 1, request);
    const std::size_t piece = answer.between.count() > 0 ? 1 : std::max<std::size_t>(1, answer.octets.size());
    for (std::size_t at = 0; at < answer.octets.size(); at += piece) {
      const std::string_view part = std::string_view(answer.octets).substr(at, piece);
      const auto octets = std::as_bytes(std::span<const char>(part.data(), part.size()));
      auto written = co_await stream->write_all(octets);
      if (!written) co_return;
      if (answer.between.count() > 0) {
        auto slept = co_await world.sleep(answer.between);
        if (!slept) co_return;
      }
    }
    if (answer.close) co_return;
  }
}

inline std::shared_ptr<Seen> serve_script(VirtualWorld& world, const std::string& host, std::uint16_t port,
                                          Script script) {
  auto seen = std::make_shared<Seen>();
  VirtualEndpoint endpoint;
  endpoint.tls = port % 1000 == 443;
  world.listen(host, port, endpoint, [&world, seen, script](StreamPtr stream, std::string) {
    world.spawn(play(world, std::move(stream), seen, script));
  });
  return seen;
}

inline std::shared_ptr<Seen> serve_text(VirtualWorld& world, const std::string& host, std::uint16_t port,
                                        std::string octets, bool close = false) {
  return serve_script(world, host, port, [octets, close](std::size_t, const std::string&) {
    return Answer{octets, close};
  });
}

inline std::string ok(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

/// An authentication that records nothing and knows two turns: request-bound "basic" or connection-bound
/// "ntlm" with the messages T1, T2 and T3-<identity>.
class ScriptedAuthenticator final : public Authenticator {
 public:
  ScriptedAuthenticator(std::string identity, bool bound, bool preemptive = true)
      : identity_(std::move(identity)), bound_(bound), preemptive_(preemptive) {}
  std::string_view scheme() const noexcept override { return bound_ ? "ntlm" : "basic"; }
  std::string pool_key() const override { return identity_; }
  bool connection_bound() const noexcept override { return bound_; }
  std::unique_ptr<AuthSession> start(const AuthTarget& target) override {
    targets.push_back(target);
    return std::make_unique<Session>(*this);
  }
  std::vector<AuthTarget> targets;

 private:
  class Session final : public AuthSession {
   public:
    explicit Session(ScriptedAuthenticator& owner) : owner_(owner) {}
    Async<std::optional<std::string>> initial() override {
      std::optional<std::string> value;
      if (!owner_.preemptive_) co_return value;
      sent_ = true;
      value = owner_.bound_ ? "NTLM T1" : "Basic " + owner_.identity_;
      co_return value;
    }
    Async<std::string> answer(std::span<const std::string> challenges) override {
      if (!owner_.bound_) {
        if (sent_) co_return fail(ErrorDomain::auth, "refused", "refused", RetryClass::reauthenticate);
        sent_ = true;
        co_return "Basic " + owner_.identity_;
      }
      for (const std::string& challenge : challenges) {
        if (challenge == "NTLM T2") co_return "NTLM T3-" + owner_.identity_;
      }
      if (sent_) co_return fail(ErrorDomain::auth, "refused", "refused", RetryClass::reauthenticate);
      sent_ = true;
      co_return "NTLM T1";
    }

   private:
    ScriptedAuthenticator& owner_;
    bool sent_ = false;
  };

  std::string identity_;
  bool bound_;
  bool preemptive_;
};

}  // namespace syncline::net::testing
