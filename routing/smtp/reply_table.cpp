// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/smtp/reply_table.hpp"

#include <chrono>

#include "auth/sasl.hpp"
#include "base/text.hpp"

namespace syncline::smtp {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

struct Verdict {
  std::string_view code;
  RetryClass retry = RetryClass::never;
  milliseconds pause{0};
};

constexpr Verdict never(std::string_view code) {
  return {code, RetryClass::never, milliseconds(0)};
}
constexpr Verdict after(std::string_view code, milliseconds pause = milliseconds(0)) {
  return {code, RetryClass::after, pause};
}
constexpr Verdict sign_in(std::string_view code) {
  return {code, RetryClass::reauthenticate, milliseconds(0)};
}

/// Limits by the hour or the day do not end sooner for being tried.
constexpr Verdict sending_quota = after("sending-quota", hours(1));
constexpr Verdict throttled = after("throttled", minutes(5));

bool has(std::string_view lower_text, std::string_view word) {
  return lower_text.find(word) != std::string_view::npos;
}

/// Names that large senders' documents give; docs/protocol-notes/smtp.md has the sources.
std::optional<Verdict> by_text(std::string_view text, int code) {
  if (has(text, "sending quota") || has(text, "sending limit") || has(text, "daily limit") ||
      has(text, "submissionquotaexceeded") || has(text, "hourly limit"))
    return sending_quota;
  if (has(text, "rate limit") || has(text, "too many messages") || has(text, "too fast") ||
      has(text, "throttl") || has(text, "concurrent connections limit") ||
      has(text, "too many connections") || (code / 100 == 4 && has(text, "unusual rate")))
    return throttled;
  if (has(text, "sendasdenied") || has(text, "send as permission")) return never("not-allowed-as-sender");
  if (has(text, "size limit") || has(text, "too large") || has(text, "too big") ||
      has(text, "maximum message size") || has(text, "exceeds size"))
    return never("message-too-large");
  if (has(text, "over quota") || has(text, "quota exceeded") || has(text, "mailbox full") ||
      has(text, "mailbox is full"))
    return code / 100 == 4 ? after("mailbox-full", hours(1)) : never("mailbox-full");
  return std::nullopt;
}

/// RFC 3463 section 3 and the IANA registry, and what large systems put into it.
std::optional<Verdict> by_enhanced(const EnhancedCode& code, Stage stage) {
  const bool passing = code.status_class == 4;
  const auto either = [&](std::string_view word) { return passing ? after(word) : never(word); };
  switch (code.subject) {
    case 1:
      if (code.detail == 2 || code.detail == 10) return either("bad-domain");
      if (code.detail == 6) return never("mailbox-moved");
      if (code.detail == 7 || code.detail == 8) return either("not-allowed-as-sender");
      return either("no-such-mailbox");
    case 2:
      if (code.detail == 1) return either(passing ? "mailbox-busy" : "mailbox-disabled");
      if (code.detail == 2) return passing ? after("mailbox-full", hours(1)) : never("mailbox-full");
      if (code.detail == 3) return never("message-too-large");
      if (code.detail == 252) return never("not-allowed-as-sender");
      return std::nullopt;
    case 3:
      if (code.detail == 1) return either("system-full");
      if (code.detail == 4) return never("message-too-large");
      return passing ? std::optional(after("busy")) : std::nullopt;
    case 4:
      if (code.detail == 5) return passing ? after("busy") : sending_quota;
      return passing ? std::optional(after("temporary")) : std::nullopt;
    case 5:
      if (code.detail == 3) return either("too-many-recipients");
      return passing ? std::optional(after("temporary")) : std::nullopt;
    case 6:
      return either("content-refused");
    case 7:
      if (code.detail == 3 || code.detail == 8 || code.detail == 9 || code.detail == 12 || code.detail == 14)
        return passing ? after("temporary") : sign_in("credentials-refused");
      if (code.detail == 10 || code.detail == 11) return never("encryption-required");
      if (code.detail == 57) return sign_in("sign-in-required");
      if (code.detail == 60) return never("not-allowed-as-sender");
      if (code.detail == 139) return sign_in("not-authorised");
      if (code.detail == 232 || code.detail == 233) return sending_quota;
      if (passing) return stage == Stage::sign_in ? after("temporary") : throttled;
      return never("refused");
    default:
      return std::nullopt;
  }
}

/// RFC 5321 section 4.2.3, RFC 4954 section 6, RFC 7504.
Verdict by_code(int code, Stage stage) {
  switch (code) {
    case 421:
      return after("service-closing");
    case 432:
      return throttled;
    case 450:
      return after("mailbox-busy");
    case 451:
      return after("temporary");
    case 452:
      return after(stage == Stage::recipient ? "too-many-recipients" : "system-full");
    case 454:
      return after("temporary");
    case 500:
    case 501:
    case 503:
      return never("protocol");
    case 502:
    case 504:
    case 555:
      return never("not-supported");
    case 521:
    case 556:
      return never("bad-domain");
    case 523:
      return never("message-too-large");
    case 530:
      return sign_in("sign-in-required");
    case 534:
    case 535:
      return sign_in("credentials-refused");
    case 538:
      return never("encryption-required");
    case 550:
      return stage == Stage::recipient ? never("no-such-mailbox") : never("refused");
    case 551:
      return never("mailbox-moved");
    case 552:
      return stage == Stage::recipient ? never("mailbox-full") : never("message-too-large");
    case 553:
      return stage == Stage::sender ? never("not-allowed-as-sender") : never("no-such-mailbox");
    default:
      break;
  }
  if (code / 100 == 4) return after("temporary");
  if (code / 100 == 5) return never("refused");
  return after("unexpected-reply");
}

Verdict judge(const Reply& reply, Stage stage) {
  const std::string described = reply.describe();
  // "Authenticated but not connected": an authorisation fault at whatever command.
  if (reply.code / 100 >= 4 && auth::is_not_authorised(described)) return sign_in("not-authorised");
  if (reply.code / 100 < 4) return after("unexpected-reply");
  const std::string text = text::to_lower_ascii(described);
  if (const auto named = by_text(text, reply.code)) {
    // A 4yz stays worth another try whatever its text says.
    if (reply.code / 100 == 4 && named->retry == RetryClass::never) return after(named->code);
    return *named;
  }
  if (reply.code == 421 || reply.code == 432) {
    const auto code = reply.enhanced();
    const bool slower = reply.code == 432 || (code && code->subject == 7);
    return slower ? throttled : by_code(reply.code, stage);
  }
  if (reply.code == 530 || reply.code == 538) return by_code(reply.code, stage);
  if (const auto code = reply.enhanced())
    if (const auto verdict = by_enhanced(*code, stage)) {
      if (reply.code / 100 == 4 && verdict->retry == RetryClass::never) return after(verdict->code);
      return *verdict;
    }
  return by_code(reply.code, stage);
}

}  // namespace

std::string_view to_string(Stage stage) noexcept {
  switch (stage) {
    case Stage::greeting:
      return "waiting for the greeting";
    case Stage::hello:
      return "saying EHLO";
    case Stage::start_tls:
      return "starting TLS";
    case Stage::sign_in:
      return "signing in";
    case Stage::sender:
      return "naming the sender";
    case Stage::recipient:
      return "naming a recipient";
    case Stage::data:
      return "announcing the text";
    case Stage::content:
      return "sending the text";
    case Stage::other:
      break;
  }
  return "talking to the server";
}

Error refusal(const Reply& reply, Stage stage) {
  const Verdict verdict = judge(reply, stage);
  Error error{.domain = verdict.code == "encryption-required" ? ErrorDomain::tls : ErrorDomain::mail,
              .code = std::string(verdict.code),
              .message = "the mail server answers " + reply.describe(),
              .retry = verdict.retry,
              .context = {std::string(to_string(stage))}};
  if (verdict.retry == RetryClass::reauthenticate) error.domain = ErrorDomain::auth;
  if (verdict.pause.count() > 0) error.retry_after = verdict.pause;
  return error;
}

}  // namespace syncline::smtp
