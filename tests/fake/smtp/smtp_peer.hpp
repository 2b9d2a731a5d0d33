// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A submission server for tests: does what RFC 5321 says unless a test has it say something else.
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/support/line_peer.hpp"

namespace syncline::smtp::testing {

struct Received {
  std::string from = {};
  std::vector<std::string> to = {};
  std::string text = {};  ///< unstuffed, without the final dot
};

struct SmtpPeer {
  std::string greeting = "220 mail.example.test ESMTP\r\n";
  std::vector<std::string> offers = {"PIPELINING", "SIZE 1000000", "8BITMIME", "ENHANCEDSTATUSCODES",
                                     "CHUNKING"};
  std::vector<std::string> offers_with_tls = {"AUTH PLAIN"};  ///< beside the others, after STARTTLS
  /// Looked at before each command; a text is said instead of the usual answer (empty: nothing is said).
  std::function<std::optional<std::string>(const std::string& line, std::size_t connection)> instead = {};
  /// The answer to the text, by the number of the message (from 0); "vanish": takes it, and the connection
  /// ends without an answer; "drop": does not take it, and ends.
  std::function<std::string(std::size_t message)> verdict = {};
  /// Called with every message that this server takes responsibility for.
  std::function<void(const Received& message)> on_taken = {};
  /// Told of everything that is said.
  std::function<void(std::size_t connection, const std::string& to, std::size_t octets)> said = {};
  std::function<void(std::size_t connection, std::size_t octets)> heard = {};
  std::string password = "secret";

  std::vector<std::string> commands;  ///< of all connections, in their order
  std::vector<Received> taken;        ///< messages that this server is responsible for
  std::size_t connections = 0;
  std::size_t reads = 0;    ///< pieces that arrived
  std::size_t offered = 0;  ///< texts that came

  void listen(net::testing::VirtualWorld& world, std::uint16_t port = 587, bool tls = false) {
    net::testing::VirtualEndpoint endpoint;
    endpoint.tls = tls;
    syncline::testing::serve_lines(
        world, "mail.example.test", port, std::move(endpoint),
        [this, tls](syncline::testing::LinePeer& peer, std::size_t nth) { return run(peer, nth, tls); });
  }

 private:
  using Peer = syncline::testing::LinePeer;

  net::asio::awaitable<void> run(Peer& peer, std::size_t nth, bool tls) {
    ++connections;
    if (said) peer.on_say = [this, nth](const std::string& to, std::size_t octets) { said(nth, to, octets); };
    if (heard) peer.on_hear = [this, nth](std::size_t octets) { heard(nth, octets); };
    co_await peer.say(greeting);
    Received message;
    for (;;) {
      auto next = co_await peer.line();
      reads += peer.reads() - seen_reads_[nth];
      seen_reads_[nth] = peer.reads();
      if (!next) co_return;
      const std::string line = *next;
      commands.push_back(line);
      if (instead) {
        if (auto other = instead(line, nth)) {
          if (line.starts_with("BDAT ")) static_cast<void>(co_await peer.octets(std::stoul(line.substr(5))));
          if (*other == "close") co_return;
          co_await peer.say(*other);
          if (other->starts_with("421")) co_return;
          if (line == "DATA" && other->starts_with("354")) co_await take_data(peer, message);
          continue;
        }
      }
      if (line.starts_with("EHLO")) {
        co_await peer.say(hello(tls));
      } else if (line == "STARTTLS") {
        co_await peer.say("220 2.0.0 ready\r\n");
        tls = true;
      } else if (line.starts_with("AUTH PLAIN ")) {
        co_await peer.say("235 2.7.0 welcome\r\n");
      } else if (line.starts_with("MAIL FROM:<")) {
        message = {.from = inside(line)};
        co_await peer.say("250 2.1.0 Ok\r\n");
      } else if (line.starts_with("RCPT TO:<")) {
        message.to.push_back(inside(line));
        co_await peer.say("250 2.1.5 Ok\r\n");
      } else if (line == "DATA") {
        if (message.to.empty()) {
          co_await peer.say("554 5.5.1 no valid recipients\r\n");
          continue;
        }
        co_await peer.say("354 go ahead\r\n");
        const bool goes_on = co_await take_data(peer, message);
        if (!goes_on) co_return;
        message = {};
      } else if (line.starts_with("BDAT ")) {
        const std::size_t length = std::stoul(line.substr(5));
        const std::string chunk = co_await peer.octets(length);
        if (chunk.size() < length) co_return;  // cut off before its end
        message.text += chunk;
        if (!line.ends_with(" LAST")) {
          co_await peer.say("250 2.0.0 so far\r\n");
          continue;
        }
        if (message.to.empty()) {
          ++offered;
          co_await peer.say("554 5.5.1 no valid recipients\r\n");
          continue;
        }
        const bool goes_on = co_await judge(peer, message);
        if (!goes_on) co_return;
        message = {};
      } else if (line == "RSET") {
        message = {};
        co_await peer.say("250 2.0.0 Ok\r\n");
      } else if (line == "QUIT") {
        co_await peer.say("221 2.0.0 bye\r\n");
        co_return;
      } else {
        co_await peer.say("502 5.5.2 what?\r\n");
      }
    }
  }

  net::asio::awaitable<bool> take_data(Peer& peer, Received& message) {
    std::string text = co_await peer.until("\r\n.\r\n");
    if (!text.ends_with("\r\n.\r\n")) {
      co_return false;  // cut off before the dot
    }
    text.resize(text.size() - 3);
    for (std::size_t at = 0; at < text.size();) {
      if (text[at] == '.') text.erase(at, 1);
      const std::size_t end = text.find("\r\n", at);
      at = end == std::string::npos ? text.size() : end + 2;
    }
    message.text = text;
    const bool goes_on = co_await judge(peer, message);
    co_return goes_on;
  }

  net::asio::awaitable<bool> judge(Peer& peer, const Received& message) {
    const std::string answer = verdict ? verdict(offered) : "250 2.0.0 queued\r\n";
    ++offered;
    if (answer == "drop") co_return false;
    if (answer == "vanish" || answer.starts_with("250")) {
      taken.push_back(message);
      if (on_taken) on_taken(message);
    }
    if (answer == "vanish") co_return false;
    co_await peer.say(answer);
    co_return !answer.starts_with("421");
  }

  std::string hello(bool tls) const {
    std::string text = "250-mail.example.test\r\n";
    for (const std::string& one : offers)
      if (one != "STARTTLS" || !tls) text += "250-" + one + "\r\n";
    if (tls)
      for (const std::string& one : offers_with_tls) text += "250-" + one + "\r\n";
    return text + "250 HELP\r\n";
  }

  static std::string inside(const std::string& line) {
    const std::size_t begin = line.find('<') + 1;
    return line.substr(begin, line.find('>', begin) - begin);
  }

  std::map<std::size_t, std::size_t> seen_reads_;
};

}  // namespace syncline::smtp::testing
