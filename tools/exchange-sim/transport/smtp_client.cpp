// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/transport/smtp_client.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "base/text.hpp"
#include "net/watchdog.hpp"

namespace exchange_sim {

namespace text = syncline::text;
using net::Async;
using syncline::ErrorDomain;
using syncline::fail;
using syncline::Result;
using syncline::RetryClass;

namespace {

constexpr std::size_t reply_line_octets = 4096;
constexpr std::size_t reply_lines = 100;

struct Reply {
  int code = 0;
  std::string text;                ///< of the last line
  std::vector<std::string> lines;  ///< all of them, without code
};

std::span<const std::byte> octets_of(std::string_view text) {
  return std::as_bytes(std::span<const char>(text.data(), text.size()));
}

bool has_8bit(std::string_view octets) {
  return std::any_of(octets.begin(), octets.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

/// Addresses come from items, so from whoever writes to a mailbox: nothing that ends a path or a line.
bool is_sendable(std::string_view address) {
  const std::size_t at = address.rfind('@');
  return at != std::string_view::npos && at > 0 && at + 1 < address.size() && address.size() <= 320 &&
         std::all_of(address.begin(), address.end(), [](char c) {
           const auto octet = static_cast<unsigned char>(c);
           return octet > 0x20 && octet < 0x7F && c != '<' && c != '>' && c != '"' && c != '\\';
         });
}

class Conversation {
 public:
  Conversation(net::Environment& environment, net::StreamPtr stream, std::chrono::milliseconds idle)
      : stream_(std::move(stream)),
        idle_(idle),
        watchdog_(environment, [stream = stream_] { stream->close(); }) {}
  ~Conversation() { stream_->close(); }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  Async<Reply> reply() {
    Reply reply;
    for (;;) {
      auto line = co_await this->line();
      if (!line) co_return fail(std::move(line.error()));
      const auto code =
          line->size() < 3 ? std::nullopt : text::parse_int(std::string_view(*line).substr(0, 3));
      if (!code || *code < 200 || *code > 599 || reply.lines.size() >= reply_lines ||
          (!reply.lines.empty() && *code != reply.code)) {
        co_return fail(ErrorDomain::mail, "smtp-reply", "the smart host answered with what is no SMTP reply",
                       RetryClass::after);
      }
      reply.code = static_cast<int>(*code);
      reply.text = line->size() > 4 ? line->substr(4) : std::string();
      reply.lines.push_back(reply.text);
      if (line->size() < 4 || (*line)[3] != '-') co_return reply;
    }
  }

  Async<Reply> ask(std::string octets) {
    watchdog_.arm_for(idle_);
    const auto all = octets_of(octets);
    auto written = co_await stream_->write_all(all);
    if (!written) co_return fail(std::move(written.error()));
    auto answer = co_await reply();
    co_return answer;
  }

 private:
  Async<std::string> line() {
    for (;;) {
      if (const std::size_t end = read_.find('\n'); end != std::string::npos) {
        std::string one = read_.substr(0, end);
        read_.erase(0, end + 1);
        if (one.ends_with('\r')) one.pop_back();
        co_return one;
      }
      if (read_.size() > reply_line_octets) {
        co_return fail(ErrorDomain::mail, "smtp-reply", "a line of the smart host's reply has no end",
                       RetryClass::after);
      }
      std::array<std::byte, 4096> buffer{};
      const std::span<std::byte> room(buffer);
      watchdog_.arm_for(idle_);
      auto count = co_await stream_->read_some(room);
      if (!count) co_return fail(std::move(count.error()));
      if (*count == 0) {
        co_return fail(ErrorDomain::net, "connection-reset", "the smart host has ended the connection",
                       RetryClass::after);
      }
      read_.append(reinterpret_cast<const char*>(buffer.data()), *count);
    }
  }

  std::shared_ptr<net::Stream> stream_;
  std::chrono::milliseconds idle_;
  net::Watchdog watchdog_;
  std::string read_;
};

Async<net::StreamPtr> connected(net::Environment& environment, SmartHost smart_host) {
  auto addresses = co_await environment.resolver.addresses(smart_host.host);
  if (!addresses) co_return fail(std::move(addresses.error()));
  syncline::Error last{.domain = ErrorDomain::net, .code = "name-not-found", .message = "no address"};
  for (const std::string& address : *addresses) {
    auto stream = co_await environment.connector.connect(address, smart_host.port);
    if (stream) co_return std::move(*stream);
    last = std::move(stream.error());
  }
  co_return fail(std::move(last));
}

syncline::unexpected<syncline::Error> not_let_in(const Reply& reply) {
  return fail(ErrorDomain::mail, "smtp-refused",
              "the smart host says " + std::to_string(reply.code) + ' ' + reply.text, RetryClass::after);
}

struct Offer {
  bool takes_8bit = false;
  std::optional<std::int64_t> size;
};

Offer read_offer(const Reply& reply) {
  Offer offer;
  for (const std::string& line : reply.lines) {
    const std::string lower = text::to_lower_ascii(text::trim(line));
    if (lower == "8bitmime") offer.takes_8bit = true;
    if (lower == "size" || lower.starts_with("size "))
      offer.size =
          lower.size() < 6 ? 0 : text::parse_int(text::trim(std::string_view(lower).substr(5))).value_or(0);
  }
  return offer;
}

}  // namespace

std::string text_on_the_wire(std::string_view mime) {
  std::string out;
  out.reserve(mime.size() + mime.size() / 32 + 8);
  bool at_line_start = true;
  for (std::size_t at = 0; at < mime.size();) {
    if (at_line_start && mime[at] == '.') out += '.';
    const std::size_t end = std::min(mime.find_first_of("\r\n", at), mime.size());
    out += mime.substr(at, end - at);
    at = end;
    at_line_start = at < mime.size();
    if (!at_line_start) break;
    out += "\r\n";
    // A bare CR or LF is a line's end that somebody forgot half of; neither may be sent (RFC 5321 section
    // 2.3.8).
    at += mime[at] == '\r' && at + 1 < mime.size() && mime[at + 1] == '\n' ? 2 : 1;
  }
  if (!at_line_start) out += "\r\n";
  return out + ".\r\n";
}

Async<std::vector<Verdict>> hand_over(net::Environment& environment, SmartHost smart_host,
                                      std::string host_name, OutgoingMail mail,
                                      std::chrono::milliseconds idle) {
  auto stream = co_await connected(environment, smart_host);
  if (!stream) co_return fail(std::move(stream.error()));
  Conversation smtp(environment, std::move(*stream), idle);
  std::string nothing;
  auto reply = co_await smtp.ask(std::move(nothing));
  if (!reply) co_return fail(std::move(reply.error()));
  if (reply->code != 220) co_return not_let_in(*reply);
  std::string command = "EHLO " + host_name + "\r\n";
  reply = co_await smtp.ask(std::move(command));
  if (!reply) co_return fail(std::move(reply.error()));
  const bool extended = reply->code == 250;
  if (!extended) {
    command = "HELO " + host_name + "\r\n";
    reply = co_await smtp.ask(std::move(command));
    if (!reply) co_return fail(std::move(reply.error()));
    if (reply->code != 250) co_return not_let_in(*reply);
  }
  const Offer offer = extended ? read_offer(*reply) : Offer();
  const bool is_8bit = has_8bit(mail.mime);
  std::vector<Verdict> verdicts(mail.to.size());
  // An answer that is neither yes nor no where it stands is nonsense: not taken, but not refused for ever.
  const auto all_refused = [&](int code, std::string why) {
    std::fill(verdicts.begin(), verdicts.end(), Verdict{code < 400 ? 451 : code, std::move(why)});
    return verdicts;
  };
  if (is_8bit && !offer.takes_8bit)
    co_return all_refused(554, "5.6.3 The next server takes no 8-bit text, and this message has it");
  if (offer.size.value_or(0) > 0 && mail.mime.size() > static_cast<std::uint64_t>(*offer.size))
    co_return all_refused(552, "5.3.4 The message is larger than the next server takes");

  command = "MAIL FROM:<" + mail.from + '>';
  if (offer.size) command += " SIZE=" + std::to_string(mail.mime.size());
  if (is_8bit) command += " BODY=8BITMIME";
  command += "\r\n";
  reply = co_await smtp.ask(std::move(command));
  if (!reply) co_return fail(std::move(reply.error()));
  if (reply->code != 250) co_return all_refused(reply->code, reply->text);
  bool any = false;
  for (std::size_t i = 0; i < mail.to.size(); ++i) {
    if (!is_sendable(mail.to[i])) {
      verdicts[i] = {553, "5.1.3 Not an address that can be sent to"};
      continue;
    }
    command = "RCPT TO:<" + mail.to[i] + ">\r\n";
    reply = co_await smtp.ask(std::move(command));
    if (!reply) co_return fail(std::move(reply.error()));
    verdicts[i] = {reply->code, reply->text};
    any = any || verdicts[i].is_taken();
  }
  if (any) {
    command = "DATA\r\n";
    reply = co_await smtp.ask(std::move(command));
    if (!reply) co_return fail(std::move(reply.error()));
    const bool wanted = reply->code == 354;
    if (wanted) {
      std::string octets = text_on_the_wire(mail.mime);
      reply = co_await smtp.ask(std::move(octets));
      if (!reply) co_return fail(std::move(reply.error()));
    }
    const bool is_taken = wanted && reply->code >= 200 && reply->code < 300;
    for (Verdict& one : verdicts)
      if (one.is_taken()) one = {is_taken || reply->code >= 400 ? reply->code : 451, reply->text};
  }
  command = "QUIT\r\n";
  static_cast<void>(co_await smtp.ask(std::move(command)));
  co_return verdicts;
}

}  // namespace exchange_sim
