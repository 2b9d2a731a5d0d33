// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/transport/smtp_receiver.hpp"

#include <algorithm>
#include <optional>

#include "base/text.hpp"

namespace exchange_sim {

namespace text = syncline::text;

namespace {

constexpr std::string_view bad_sequence = "503 5.5.1 Bad sequence of commands\r\n";
constexpr std::string_view bad_syntax = "501 5.5.4 Syntax error in parameters\r\n";

/// Letters, digits and what RFC 5322 section 3.2.3 allows in an atom, and the dot.
bool is_atom_text(std::string_view part) {
  static constexpr std::string_view others = "!#$%&'*+-/=?^_`{|}~.";
  return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  });
}

struct Path {
  std::string address;     ///< empty: "<>"
  std::string_view after;  ///< what follows the ">"
};

/// "<local@domain> …" (RFC 5321 section 4.1.2). A source route is left out, as section 4.1.1.3 says; quotes
/// that are not needed too.
std::optional<Path> read_path(std::string_view argument) {
  argument = text::trim(argument);
  if (!argument.starts_with('<')) return std::nullopt;
  bool quoted = false;
  std::size_t end = 1;
  for (; end < argument.size() && (quoted || argument[end] != '>'); ++end) {
    if (argument[end] == '"') quoted = !quoted;
    if (quoted && argument[end] == '\\') ++end;
  }
  if (end >= argument.size()) return std::nullopt;
  std::string_view inside = argument.substr(1, end - 1);
  Path path{{}, argument.substr(end + 1)};
  if (!path.after.empty() && path.after.front() != ' ') return std::nullopt;
  if (inside.empty()) return path;
  if (inside.starts_with('@')) {
    const std::size_t colon = inside.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    inside.remove_prefix(colon + 1);
  }
  const std::size_t at = inside.rfind('@');
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view domain = inside.substr(at + 1);
  std::string local(inside.substr(0, at));
  const bool is_domain = !domain.empty() && domain.size() <= 255 &&
                         (is_atom_text(domain) || (domain.starts_with('[') && domain.ends_with(']')));
  if (!is_domain) return std::nullopt;
  if (local.size() >= 2 && local.front() == '"' && local.back() == '"') {
    std::string plain;
    for (std::size_t i = 1; i + 1 < local.size(); ++i) {
      if (local[i] == '\\' && i + 2 < local.size()) ++i;
      plain += local[i];
    }
    if (is_atom_text(plain)) local = std::move(plain);
  } else if (!is_atom_text(local)) {
    return std::nullopt;
  }
  if (local.size() > 64) return std::nullopt;
  path.address = local + '@' + text::to_lower_ascii(domain);
  return path;
}

bool is_clean(std::string_view line) {
  return std::none_of(line.begin(), line.end(), [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet < 0x20 || octet == 0x7F;
  });
}

bool is_ascii(std::string_view line) {
  return std::none_of(line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

}  // namespace

SmtpReceiver::SmtpReceiver(std::string host_name, ReceiverLimits limits, MailTaker& taker)
    : host_name_(std::move(host_name)), limits_(limits), taker_(taker) {}

std::string SmtpReceiver::greeting() const {
  return "220 " + host_name_ + " ESMTP exchange-sim\r\n";
}

std::string SmtpReceiver::feed(std::string_view octets) {
  std::string replies;
  while (!octets.empty() && !over_)
    octets = phase_ == Phase::data ? take_data(octets, replies) : take_line(octets, replies);
  return replies;
}

std::string_view SmtpReceiver::take_line(std::string_view octets, std::string& replies) {
  const std::size_t newline = octets.find('\n');
  const std::size_t count = newline == std::string_view::npos ? octets.size() : newline + 1;
  const std::size_t room = limits_.line_octets - std::min(limits_.line_octets, line_.size());
  line_.append(octets.substr(0, std::min(count, room)));
  line_octets_ += count;
  octets.remove_prefix(count);
  if (newline == std::string_view::npos) {
    if (line_octets_ > limits_.endless_line_octets) {
      replies += "421 4.7.0 A line without an end\r\n";
      over_ = true;
    }
    return octets;
  }
  const std::string line = std::move(line_);
  const bool is_long = line_octets_ > limits_.line_octets;
  line_.clear();
  line_octets_ = 0;
  if (is_long) {
    refuse("500 5.5.2 The line is too long\r\n", replies);
  } else if (!line.ends_with("\r\n")) {
    refuse("500 5.5.2 A line ends with CR LF\r\n", replies);
  } else {
    command(std::string_view(line).substr(0, line.size() - 2), replies);
  }
  return octets;
}

void SmtpReceiver::refuse(std::string_view reply, std::string& replies) {
  replies += reply;
  if (++errors_ < limits_.errors) return;
  replies += "421 4.7.0 Too many errors\r\n";
  over_ = true;
}

void SmtpReceiver::reset() {
  has_sender_ = false;
  mail_ = {};
}

void SmtpReceiver::command(std::string_view line, std::string& replies) {
  if (!is_clean(line)) return refuse("500 5.5.2 Control characters in a command\r\n", replies);
  const std::size_t space = line.find(' ');
  const std::string verb = text::to_lower_ascii(line.substr(0, space));
  const std::string_view argument =
      space == std::string_view::npos ? std::string_view() : text::trim(line.substr(space + 1));
  if (verb == "ehlo" || verb == "helo") {
    if (argument.empty()) return refuse(bad_syntax, replies);
    reset();
    greeted_ = true;
    replies += verb == "helo"
                   ? "250 " + host_name_ + "\r\n"
                   : "250-" + host_name_ + "\r\n250-SIZE " + std::to_string(limits_.message_octets) +
                         "\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n";
  } else if (verb == "mail") {
    mail(argument, replies);
  } else if (verb == "rcpt") {
    rcpt(argument, replies);
  } else if (verb == "data") {
    if (!argument.empty()) return refuse(bad_syntax, replies);
    begin_data(replies);
  } else if (verb == "rset") {
    reset();
    replies += "250 2.0.0 Resetting\r\n";
  } else if (verb == "noop") {
    replies += "250 2.0.0 OK\r\n";
  } else if (verb == "quit") {
    replies += "221 2.0.0 " + host_name_ + " closing\r\n";
    over_ = true;
  } else if (verb == "vrfy") {
    replies += "252 2.1.5 Cannot verify; a message will be tried\r\n";
  } else if (verb == "help") {
    replies += "214 2.0.0 RFC 5321\r\n";
  } else if (verb == "get" || verb == "post" || verb == "put" || verb == "connect") {
    // A browser that was sent here: what comes next are somebody else's commands.
    replies += "421 4.7.0 This is not a web server\r\n";
    over_ = true;
  } else {
    refuse("500 5.5.1 Unrecognized command\r\n", replies);
  }
}

void SmtpReceiver::mail(std::string_view argument, std::string& replies) {
  if (!greeted_ || has_sender_) return refuse(bad_sequence, replies);
  if (text::to_lower_ascii(argument.substr(0, 5)) != "from:") return refuse(bad_syntax, replies);
  if (!is_ascii(argument)) return refuse("553 5.6.7 An address here is ASCII\r\n", replies);
  const auto path = read_path(argument.substr(5));
  if (!path) return refuse("501 5.1.7 Not an address\r\n", replies);
  for (const std::string_view parameter : text::split(path->after, ' ')) {
    if (parameter.empty()) continue;
    const std::string lower = text::to_lower_ascii(parameter);
    if (lower == "body=7bit" || lower == "body=8bitmime") continue;
    if (!lower.starts_with("size=")) return refuse("555 5.5.4 Unknown parameter\r\n", replies);
    const auto octets = lower.size() > 25 ? std::nullopt : text::parse_int(std::string_view(lower).substr(5));
    if (!octets || *octets < 0) return refuse(bad_syntax, replies);
    if (static_cast<std::uint64_t>(*octets) > limits_.message_octets) {
      replies += "552 5.3.4 The message is too large\r\n";
      return;
    }
  }
  has_sender_ = true;
  mail_.from = path->address;
  replies += "250 2.1.0 Sender OK\r\n";
}

void SmtpReceiver::rcpt(std::string_view argument, std::string& replies) {
  if (!has_sender_) {
    // No error of a client that sent all of a transaction at once, and whose MAIL was refused (RFC 2920).
    replies += bad_sequence;
    return;
  }
  if (text::to_lower_ascii(argument.substr(0, 3)) != "to:") return refuse(bad_syntax, replies);
  if (!is_ascii(argument)) return refuse("553 5.6.7 An address here is ASCII\r\n", replies);
  const auto path = read_path(argument.substr(3));
  if (!path || path->address.empty()) return refuse("501 5.1.3 Not an address\r\n", replies);
  if (!text::trim(path->after).empty()) return refuse("555 5.5.4 Unknown parameter\r\n", replies);
  if (mail_.to.size() >= limits_.recipients) {
    replies += "452 4.5.3 Too many recipients\r\n";
    return;
  }
  switch (taker_.recipient(path->address)) {
    case MailTaker::Recipient::ours:
      mail_.to.push_back(path->address);
      replies += "250 2.1.5 Recipient OK\r\n";
      return;
    case MailTaker::Recipient::unknown:
      replies += "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found\r\n";
      return;
    case MailTaker::Recipient::elsewhere:
      replies += "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain\r\n";
      return;
  }
}

void SmtpReceiver::begin_data(std::string& replies) {
  if (!has_sender_) {
    replies += bad_sequence;
    return;
  }
  if (mail_.to.empty()) {
    replies += "554 5.5.1 No valid recipients\r\n";
    return;
  }
  phase_ = Phase::data;
  place_ = Place::line_start;
  data_octets_ = 0;
  replies += "354 Start mail input; end with <CRLF>.<CRLF>\r\n";
}

void SmtpReceiver::keep(std::string_view octets) {
  data_octets_ += octets.size();
  if (data_octets_ <= limits_.message_octets) {
    mail_.content += octets;
  } else {
    mail_.content = {};
  }
}

std::string_view SmtpReceiver::take_data(std::string_view octets, std::string& replies) {
  std::size_t at = 0;
  while (at < octets.size()) {
    const char c = octets[at];
    const std::string_view one = octets.substr(at, 1);
    switch (place_) {
      case Place::line_start:
        if (c == '.') {
          place_ = Place::dot;
          ++at;
          continue;
        }
        place_ = Place::text;
        continue;
      case Place::dot:
        if (c == '\r') {
          place_ = Place::dot_cr;
          ++at;
          continue;
        }
        // RFC 5321 section 4.5.2: the first dot of a line is the sender's addition.
        place_ = Place::text;
        continue;
      case Place::dot_cr:
        if (c == '\n') {
          octets.remove_prefix(at + 1);
          end_data(replies);
          return octets;
        }
        keep("\r");
        place_ = Place::cr;
        continue;
      case Place::cr:
        if (c == '\n') {
          keep(one);
          place_ = Place::line_start;
          ++at;
        } else {
          place_ = Place::text;
        }
        continue;
      case Place::text:
        break;
    }
    const std::size_t cr = octets.find('\r', at);
    const std::size_t end = cr == std::string_view::npos ? octets.size() : cr + 1;
    keep(octets.substr(at, end - at));
    if (cr != std::string_view::npos) place_ = Place::cr;
    at = end;
  }
  // Somebody who does not stop at twice the size he was told does not stop at all.
  if (data_octets_ > 2 * limits_.message_octets + limits_.endless_line_octets) {
    replies += "421 4.3.4 The message is far too large\r\n";
    over_ = true;
  }
  return {};
}

void SmtpReceiver::end_data(std::string& replies) {
  phase_ = Phase::commands;
  if (data_octets_ > limits_.message_octets) {
    replies += "552 5.3.4 The message is too large\r\n";
  } else if (taker_.take(std::move(mail_))) {
    replies += "250 2.6.0 Queued mail for delivery\r\n";
  } else {
    replies += "451 4.3.0 The message could not be taken\r\n";
  }
  reset();
}

}  // namespace exchange_sim
