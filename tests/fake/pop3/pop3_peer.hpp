// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A POP3 server for tests: does what RFC 1939 says unless a test has it say something else.
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/support/line_peer.hpp"

namespace syncline::pop3::testing {

struct Stored {
  std::string uid;
  std::string octets;  ///< with CRLF line ends
};

inline Stored mail(const std::string& uid, const std::string& subject, std::size_t body_octets = 40,
                   const std::string& date = "Mon, 5 Jan 2026 08:00:00 +0000") {
  std::string body;
  while (body.size() < body_octets) body += ".line " + std::to_string(body.size()) + "\r\n";
  return {uid, "Received: by mail.example.test; " + date + "\r\nFrom: bob@example.test\r\nSubject: " +
                   subject + "\r\nMessage-ID: <" + subject + "@example.test>\r\n\r\n" + body};
}

struct Pop3Peer {
  std::string greeting = "+OK ready\r\n";
  std::vector<std::string> offers = {"TOP", "UIDL", "PIPELINING", "USER", "RESP-CODES", "AUTH-RESP-CODE"};
  bool has_capa = true;
  bool has_uidl = true;
  std::vector<Stored> mailbox;  ///< oldest first; a session sees it as of its sign-in
  /// Looked at before each command; a text is said instead of the usual answer.
  std::function<std::optional<std::string>(const std::string& line, std::size_t connection)> instead = {};

  /// Told of everything that is said.
  std::function<void(std::size_t connection, const std::string& to, std::size_t octets)> said = {};
  std::function<void(std::size_t connection, std::size_t octets)> heard = {};

  std::vector<std::string> commands;  ///< of all connections, in their order
  std::size_t connections = 0;
  std::size_t reads = 0;

  std::size_t count(const std::string& prefix) const {
    std::size_t found = 0;
    for (const std::string& line : commands) found += line.starts_with(prefix) ? 1 : 0;
    return found;
  }

  void listen(net::testing::VirtualWorld& world, const std::string& host = "pop.example.test",
              std::uint16_t port = 110, bool tls = false) {
    net::testing::VirtualEndpoint endpoint;
    endpoint.tls = tls;
    syncline::testing::serve_lines(
        world, host, port, std::move(endpoint),
        [this](syncline::testing::LinePeer& peer, std::size_t nth) { return run(peer, nth); });
  }

 private:
  using Peer = syncline::testing::LinePeer;

  net::asio::awaitable<void> run(Peer& peer, std::size_t nth) {
    ++connections;
    if (said) peer.on_say = [this, nth](const std::string& to, std::size_t octets) { said(nth, to, octets); };
    if (heard) peer.on_hear = [this, nth](std::size_t octets) { heard(nth, octets); };
    co_await peer.say(greeting);
    std::vector<Stored> seen;
    std::set<std::size_t> deleted;
    for (;;) {
      auto next = co_await peer.line();
      reads += peer.reads() - seen_reads_[nth];
      seen_reads_[nth] = peer.reads();
      if (!next) co_return;
      const std::string line = *next;
      commands.push_back(line);
      if (instead) {
        if (auto other = instead(line, nth)) {
          if (*other == "close") co_return;
          co_await peer.say(*other);
          continue;
        }
      }
      if (line == "CAPA") {
        std::string text = "+OK\r\n";
        for (const std::string& one : offers) text += one + "\r\n";
        text += ".\r\n";
        if (!has_capa) text = "-ERR what?\r\n";
        co_await peer.say(text);
      } else if (line == "STLS") {
        co_await peer.say("+OK begin\r\n");
      } else if (line.starts_with("USER ")) {
        co_await peer.say("+OK\r\n");
      } else if (line.starts_with("PASS ") || line.starts_with("APOP ") || line.starts_with("AUTH ")) {
        seen = mailbox;
        co_await peer.say("+OK signed in\r\n");
      } else if (line == "LIST" || (line == "UIDL" && has_uidl)) {
        std::string text = "+OK\r\n";
        for (std::size_t i = 0; i < seen.size(); ++i)
          text += std::to_string(i + 1) + " " +
                  (line == "LIST" ? std::to_string(seen[i].octets.size()) : seen[i].uid) + "\r\n";
        co_await peer.say(text + ".\r\n");
      } else if (line.starts_with("RETR ") || line.starts_with("TOP ")) {
        const std::size_t number = std::stoul(line.substr(line.find(' ')));
        if (number == 0 || number > seen.size()) {
          co_await peer.say("-ERR no such message\r\n");
          continue;
        }
        std::string text = seen[number - 1].octets;
        if (line.starts_with("TOP ")) text.resize(text.find("\r\n\r\n") + 4);
        co_await peer.say("+OK\r\n" + stuffed(text) + ".\r\n");
      } else if (line.starts_with("DELE ")) {
        deleted.insert(std::stoul(line.substr(5)));
        co_await peer.say("+OK\r\n");
      } else if (line == "QUIT") {
        for (const std::size_t number : deleted)
          std::erase_if(mailbox, [&](const Stored& one) {
            return one.uid == seen[number - 1].uid && one.octets == seen[number - 1].octets;
          });
        co_await peer.say("+OK bye\r\n");
        co_return;
      } else {
        co_await peer.say("-ERR what?\r\n");
      }
    }
  }

  static std::string stuffed(const std::string& text) {
    std::string made;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find("\r\n", at);
      const std::size_t next = end == std::string::npos ? text.size() : end + 2;
      if (text[at] == '.') made += '.';
      made.append(text, at, next - at);
      at = next;
    }
    return made;
  }

  std::map<std::size_t, std::size_t> seen_reads_;
};

}  // namespace syncline::pop3::testing
