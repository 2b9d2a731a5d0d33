// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// HTTP/1.1 message framing (RFC 9112) without I/O: octets in, header and pieces of body out. Beast's parser
// inside.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "net/http_message.hpp"

namespace syncline::net {

struct FramingLimits {
  std::uint64_t header_octets = 64 * 1024;
  std::uint64_t body_octets = 64ull * 1024 * 1024;  ///< before inflating
};

/// Reads one message.
class MessageReader {
 public:
  enum class Kind { request, response };
  MessageReader(Kind kind, FramingLimits limits);
  ~MessageReader();
  MessageReader(MessageReader&&) noexcept;
  MessageReader& operator=(MessageReader&&) noexcept;

  /// The answer to HEAD has a length but no body. To be called before the first feed().
  void expect_no_body();

  struct Step {
    std::size_t consumed = 0;              ///< octets of the input that are done with
    bool needs_more = false;               ///< give it the rest again, with more behind it
    std::span<const std::byte> body = {};  ///< part of the input: the piece of body found in this step
  };
  /// One step forward. Errors: http "bad-message", "header-too-large", "too-large".
  Result<Step> feed(std::span<const std::byte> octets);
  /// The stream has ended. Error: http "truncated" if the message has not.
  Result<void> feed_end();

  bool header_complete() const noexcept;
  bool complete() const noexcept;
  /// True when the next message may follow on the connection.
  bool keep_alive() const noexcept;
  bool ends_with_connection() const noexcept;

  int version() const noexcept;  ///< 10 or 11
  int status() const noexcept;
  const std::string& reason() const noexcept;
  const std::string& method() const noexcept;
  const std::string& target() const noexcept;
  Headers& headers() noexcept;
  const Headers& headers() const noexcept;
  std::optional<std::uint64_t> content_length() const;

 private:
  struct Impl;
  template <bool is_request>
  struct Parser;
  std::unique_ptr<Impl> impl_;
};

/// RFC 9110 section 5.6.2.
bool is_token(std::string_view text) noexcept;
/// No control characters but tab: nothing that could end the line (request splitting).
bool is_field_value(std::string_view text) noexcept;
/// Whether a comma separated list (Connection, Transfer-Encoding, Accept-Encoding) has this element,
/// parameters aside.
bool list_has(std::span<const std::string_view> values, std::string_view element) noexcept;

}  // namespace syncline::net
