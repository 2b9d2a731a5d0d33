// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// One answer of several in a reply: mixed success is the rule, and each stands for itself.
#include <optional>
#include <string>
#include <vector>

#include "ews/types/enums.hpp"
#include "ews/types/soap.hpp"

namespace syncline::ews {

struct ResponseStatus {
  Open<ResponseClass> response_class = ResponseClass::error;
  std::string code;  ///< "NoError", "ErrorItemNotFound", …
  std::string text;  ///< MessageText: the server's sentence
  MessageXml message_xml = {};
  std::optional<std::int64_t> descriptive_link_key = std::nullopt;

  /// Success, or a warning that carries a value. A warning with ErrorBatchProcessingStopped is not: nothing
  /// was done.
  bool ok() const noexcept;
  /// The server's hint, wherever in the message it stands.
  std::optional<std::chrono::milliseconds> back_off() const { return back_off_of(message_xml); }
};

/// Domain ews; retry class from the table; the hint in retry_after. ErrorInternalServerError with an inner
/// ErrorServerBusy counts as the inner one.
Error to_error(const ResponseStatus& status);

template <class T>
struct ResponseMessage : ResponseStatus {
  T value = {};  ///< what the server sent, also beside an error

  Result<T> result() && {
    if (!ok()) return fail(to_error(*this));
    return std::move(value);
  }
};

struct Nothing {
  bool operator==(const Nothing&) const = default;
};

template <class T>
struct Response {
  std::optional<ServerVersionInfo> server = std::nullopt;
  std::vector<ResponseMessage<T>> messages = {};
  /// What was passed over or repaired while reading: for the log, with the place.
  std::vector<std::string> defects = {};

  /// Error "message-count" unless there is exactly one message for each of `asked`: wrong namespaces and cut
  /// replies would else pass as "nothing there".
  Result<void> expect(std::size_t asked) const {
    if (messages.size() == asked) return {};
    return fail(ErrorDomain::soap, "message-count",
                "the reply has " + std::to_string(messages.size()) + " response messages for " +
                    std::to_string(asked) + " requested",
                RetryClass::after);
  }
};

}  // namespace syncline::ews
