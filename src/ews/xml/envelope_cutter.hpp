// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// GetStreamingEvents answers with SOAP envelopes one after the other in one HTTP body that stays open for
// minutes. The cutter gives each envelope, cleaned, as soon as its last octet is there.
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "ews/xml/limits.hpp"
#include "ews/xml/scanner.hpp"

namespace syncline::ews::xml {

class EnvelopeCutter {
 public:
  /// `limits` are those of one envelope; its octets are what is held in memory at most.
  explicit EnvelopeCutter(Limits limits = notification_limits());

  /// Octets cut anywhere. Errors: those of Scanner::feed; envelopes complete before the fault are still
  /// given.
  Result<void> feed(std::string_view octets);
  /// The next complete envelope, oldest first.
  std::optional<std::string> next();
  /// The body is over. Error "truncated" in the middle of an envelope; a body without any is not an error.
  Result<void> finish();

  /// Characters replaced by U+FFFD so far.
  std::uint64_t replaced() const noexcept { return scanner_.replaced(); }

  /// A notification of 200 mailboxes' events is some hundred kilobytes.
  static Limits notification_limits() noexcept;

 private:
  void cut();

  Scanner scanner_;
  std::string clean_;  ///< of the envelope in the making
  std::vector<std::size_t> ends_;
  std::deque<std::string> complete_;
};

}  // namespace syncline::ews::xml
