// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/pop3/reply_table.hpp"

#include <chrono>
#include <initializer_list>

#include "auth/sasl.hpp"
#include "base/text.hpp"

namespace syncline::pop3 {
namespace {

struct Verdict {
  std::string_view code;
  RetryClass retry = RetryClass::never;
  std::chrono::milliseconds pause{0};
};

constexpr Verdict in_use{"mailbox-in-use", RetryClass::after, std::chrono::minutes(1)};
constexpr Verdict login_delay{"login-delay", RetryClass::after, std::chrono::minutes(5)};
constexpr Verdict throttled{"throttled", RetryClass::after, std::chrono::minutes(15)};
constexpr Verdict temporary{"temporary", RetryClass::after};
constexpr Verdict unavailable{"service-unavailable", RetryClass::after};

bool has_any(std::string_view text, std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words)
    if (text.find(word) != std::string_view::npos) return true;
  return false;
}

/// RFC 1939 gives a locked maildrop and a wrong password the same answer; servers without response codes tell
/// them apart in words only.
Verdict of_sign_in(const Status& status) {
  const std::string text = text::to_lower_ascii(status.text);
  if (auth::is_not_authorised(status.text) ||
      has_any(text, {"not enabled", "is disabled", "pop access", "pop3 access", "not allowed to use"}))
    return {"not-authorised", RetryClass::reauthenticate};
  if (has_any(text, {"lock", "in use", "already", "another session", "busy"})) return in_use;
  if (has_any(text, {"login delay", "minimum interval", "too frequent", "wait at least"})) return login_delay;
  if (has_any(text, {"too many", "rate limit", "exceeded"})) return throttled;
  if (has_any(text, {"temporar", "try again", "try later", "unavailable", "internal error"}))
    return temporary;
  return {"credentials-refused", RetryClass::reauthenticate};
}

Verdict by_stage(const Status& status, Stage stage) {
  switch (stage) {
    case Stage::greeting:
      return unavailable;
    case Stage::capabilities:
    case Stage::start_tls:
      return {"not-supported", RetryClass::never};
    case Stage::sign_in:
      return of_sign_in(status);
    case Stage::listing:
      return temporary;
    case Stage::message: {
      const std::string text = text::to_lower_ascii(status.text);
      if (has_any(text, {"no such message", "deleted", "does not exist", "doesn't exist", "no message",
                         "invalid message number"}))
        return {"gone", RetryClass::never};
      return {"message-refused", RetryClass::quarantine};
    }
    case Stage::removal:
    case Stage::farewell:
      return temporary;
  }
  return temporary;
}

Verdict judge(const Status& status, Stage stage) {
  if (status.code == "IN-USE") return in_use;
  if (status.code == "LOGIN-DELAY") return login_delay;
  if (status.code == "SYS/TEMP" || status.code.starts_with("SYS/TEMP/")) return unavailable;
  if (status.code == "SYS/PERM" || status.code.starts_with("SYS/PERM/"))
    return {"system-fault", RetryClass::never};
  if (status.code == "AUTH" || status.code.starts_with("AUTH/")) {
    if (auth::is_not_authorised(status.text)) return {"not-authorised", RetryClass::reauthenticate};
    return {"credentials-refused", RetryClass::reauthenticate};
  }
  // "Authenticated but not connected" comes at whatever command.
  if (auth::is_not_authorised(status.text)) return {"not-authorised", RetryClass::reauthenticate};
  return by_stage(status, stage);
}

}  // namespace

std::string_view to_string(Stage stage) noexcept {
  switch (stage) {
    case Stage::greeting:
      return "waiting for the greeting";
    case Stage::capabilities:
      return "asking for capabilities";
    case Stage::start_tls:
      return "starting TLS";
    case Stage::sign_in:
      return "signing in";
    case Stage::listing:
      return "listing the mailbox";
    case Stage::message:
      return "reading a message";
    case Stage::removal:
      return "deleting a message";
    case Stage::farewell:
      return "ending the session";
  }
  return "talking to the server";
}

Error refusal(const Status& status, Stage stage) {
  const Verdict verdict = judge(status, stage);
  std::string said = status.code.empty() ? status.text : "[" + status.code + "] " + status.text;
  if (said.empty()) said = "-ERR";
  Error error{.domain = verdict.retry == RetryClass::reauthenticate ? ErrorDomain::auth : ErrorDomain::mail,
              .code = std::string(verdict.code),
              .message = "the POP3 server refuses: " + said,
              .retry = verdict.retry,
              .context = {std::string(to_string(stage))}};
  if (verdict.pause.count() > 0) error.retry_after = verdict.pause;
  return error;
}

}  // namespace syncline::pop3
