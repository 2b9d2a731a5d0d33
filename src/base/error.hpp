// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What went wrong, in the words of whoever said it, and what a caller may do about it. Callers switch on the retry
// class; people read code, message and context.
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.hpp"

namespace syncline {

/// What may be done after an error (invariant 26). One table per protocol maps its codes to these.
enum class RetryClass {
  never,           ///< the same request will fail again
  after,           ///< again after `Error::retry_after` (or the caller's own back-off if that is empty)
  now,             ///< again at once, on a new connection: nothing reached the server
  reauthenticate,  ///< with new credentials or a new token
  rediscover,      ///< the mailbox may live elsewhere: Autodiscover first
  resync,          ///< the cursor is not valid any more: enumerate again
  quarantine,      ///< this one item cannot be read: put it aside, go on with the rest
};

/// Whose vocabulary `Error::code` is from.
enum class ErrorDomain {
  input,   ///< what the user gave us: files, options, configuration
  local,   ///< this machine: store, disk, key, lock
  net,     ///< DNS, sockets, deadlines
  tls,     ///< handshake, certificates
  http,    ///< status lines, framing, redirects
  auth,    ///< credentials, tokens, GSSAPI
  xml,     ///< what the scanner or a parser refused
  soap,    ///< SOAP faults
  ews,     ///< EWS response codes
  autodiscover,
  mail,    ///< IMAP, POP3, SMTP replies
};

std::string_view to_string(RetryClass retry) noexcept;
std::string_view to_string(ErrorDomain domain) noexcept;

struct [[nodiscard]] Error {
  ErrorDomain domain = ErrorDomain::local;
  std::string code = {};     ///< stable, in the domain's own spelling: "ErrorServerBusy", "too-deep"
  std::string message = {};  ///< one sentence for a person; server text is included as it came (escape on output)
  RetryClass retry = RetryClass::never;
  std::optional<std::chrono::milliseconds> retry_after = std::nullopt;  ///< the server's hint, whatever place it came from
  std::optional<int> http_status = std::nullopt;
  std::vector<std::string> context = {};  ///< what was being done, innermost first

  /// Adds one line of context on the way up: `return std::move(error).during("reading folder Inbox")`.
  Error during(std::string what) &&;
  /// "message (code) while a, while b"
  std::string describe() const;
};

template <class T>
using Result = expected<T, Error>;

/// Shorthand for `return fail(…)` in a function that returns Result.
unexpected<Error> fail(ErrorDomain domain, std::string code, std::string message,
                       RetryClass retry = RetryClass::never);
unexpected<Error> fail(Error error);

}  // namespace syncline
