// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The raw protocol log: what went over the wire, with secrets taken out. Off unless a file is named.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace syncline::net {

struct RawLogSettings {
  std::string file;     ///< empty: no log. Made with mode 0600, appended to
  bool bodies = false;  ///< also bodies (mail content!), up to body_octets of each
  std::uint64_t body_octets = 64 * 1024;
  std::uint64_t file_octets = 256ull << 20;  ///< nothing is written beyond
};

class RawLog {
 public:
  virtual ~RawLog() = default;
  enum class Direction { sent, received };
  /// A whole header, start line included, as it is on the wire.
  virtual void header(std::string_view id, Direction direction, std::string_view text) = 0;
  /// A body in one or more pieces, after content coding was taken off; ended by end_body().
  virtual void body(std::string_view id, Direction direction, std::span<const std::byte> octets) = 0;
  virtual void end_body(std::string_view id, Direction direction) = 0;
};

/// Error: local "cannot-write".
Result<std::unique_ptr<RawLog>> open_raw_log(const Clock& clock, RawLogSettings settings);

/// A header without its secrets: the values of Authorization, Proxy-Authorization, Cookie, Set-Cookie and of
/// fields whose name tells of a token, key, secret or password; of WWW-Authenticate and Proxy-Authenticate
/// all but the scheme; query parameters of that kind in the request line and in Location.
std::string redact_header(std::string_view header);
/// A form or JSON body without the values of parameters that carry secrets (password, client_secret,
/// client_assertion, assertion, access_token, refresh_token, id_token, code, …), and XML without the text of
/// Password elements.
std::string redact_body(std::string_view body);

}  // namespace syncline::net
