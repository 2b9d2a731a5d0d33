// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/http_framing.hpp"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <limits>

#include "base/text.hpp"

namespace syncline::net {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

std::string to_string(string_view text) {
  return std::string(text.data(), text.size());
}

unexpected<Error> framing_error(const error_code& error) {
  if (error == http::error::header_limit) {
    return fail(ErrorDomain::http, "header-too-large", "the header is larger than the limit");
  }
  if (error == http::error::body_limit) {
    return fail(ErrorDomain::http, "too-large", "the body is larger than the limit");
  }
  if (error == http::error::partial_message || error == http::error::end_of_stream) {
    return fail(ErrorDomain::http, "truncated", "the connection ended in the middle of the message",
                RetryClass::after);
  }
  return fail(ErrorDomain::http, "bad-message", "what came is not HTTP/1.1: " + error.message());
}

}  // namespace

struct MessageReader::Impl {
  virtual ~Impl() = default;
  virtual std::size_t put(std::span<const std::byte> octets, error_code& error) = 0;
  virtual void put_eof(error_code& error) = 0;
  virtual void skip_body() = 0;
  virtual bool header_complete() const = 0;
  virtual bool complete() const = 0;
  virtual bool keep_alive() const = 0;
  virtual bool needs_eof() const = 0;
  virtual std::optional<std::uint64_t> content_length() const = 0;

  int version = 11;
  int status = 0;
  std::string reason;
  std::string method;
  std::string target;
  Headers headers;
  std::span<const std::byte> body;
  bool is_response = false;
  bool start_judged = false;
};

template <bool is_request>
struct MessageReader::Parser final : Impl, http::basic_parser<is_request> {
  using Base = http::basic_parser<is_request>;

  explicit Parser(const FramingLimits& limits) {
    constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
    Base::header_limit(static_cast<std::uint32_t>(std::min(limits.header_octets, most)));
    Base::body_limit(limits.body_octets);
    Base::eager(false);
    this->is_response = !is_request;
  }

  std::size_t put(std::span<const std::byte> octets, error_code& error) override {
    body = {};
    return Base::put(boost::asio::const_buffer(octets.data(), octets.size()), error);
  }
  void put_eof(error_code& error) override { Base::put_eof(error); }
  void skip_body() override {
    if constexpr (!is_request) Base::skip(true);
  }
  bool header_complete() const override { return Base::is_header_done(); }
  bool complete() const override { return Base::is_done(); }
  bool keep_alive() const override { return Base::is_header_done() && Base::keep_alive(); }
  bool needs_eof() const override { return Base::is_header_done() && Base::need_eof(); }
  std::optional<std::uint64_t> content_length() const override {
    const auto length = Base::content_length();
    if (!length) return std::nullopt;
    return *length;
  }

  void on_request_impl(http::verb, string_view method_text, string_view target_text, int http_version,
                       error_code&) override {
    method = to_string(method_text);
    target = to_string(target_text);
    version = http_version;
  }
  void on_response_impl(int code, string_view reason_text, int http_version, error_code&) override {
    status = code;
    reason = to_string(reason_text);
    version = http_version;
  }
  void on_field_impl(http::field, string_view name, string_view value, error_code&) override {
    // Trailers come here too; nothing we use may be set that late (RFC 9110 section 6.5.1).
    if (!Base::is_header_done()) headers.add(to_string(name), to_string(value));
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view octets, error_code&) override {
    body = std::as_bytes(std::span<const char>(octets.data(), octets.size()));
    return octets.size();
  }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view octets, error_code&) override {
    body = std::as_bytes(std::span<const char>(octets.data(), octets.size()));
    return octets.size();
  }
  void on_finish_impl(error_code&) override {}
};

MessageReader::MessageReader(Kind kind, FramingLimits limits) {
  if (kind == Kind::request) {
    impl_ = std::make_unique<Parser<true>>(limits);
  } else {
    impl_ = std::make_unique<Parser<false>>(limits);
  }
}
MessageReader::~MessageReader() = default;
MessageReader::MessageReader(MessageReader&&) noexcept = default;
MessageReader& MessageReader::operator=(MessageReader&&) noexcept = default;

void MessageReader::expect_no_body() {
  impl_->skip_body();
}

Result<MessageReader::Step> MessageReader::feed(std::span<const std::byte> octets) {
  Step step;
  if (octets.empty()) {
    step.needs_more = true;
    return step;
  }
  if (impl_->is_response && !impl_->start_judged) {
    // The parser waits for the end of the first line; a mail server's greeting or a bare HTML page may have
    // none.
    constexpr std::string_view start = "HTTP/1.";
    const std::string_view have(reinterpret_cast<const char*>(octets.data()),
                                std::min(octets.size(), start.size()));
    if (have != start.substr(0, have.size())) {
      const std::string_view shown(reinterpret_cast<const char*>(octets.data()),
                                   std::min<std::size_t>(octets.size(), 40));
      return fail(ErrorDomain::http, "bad-message",
                  "what came is not HTTP/1.1: it begins with \"" + text::escape_for_display(shown) + "\"");
    }
    impl_->start_judged = have.size() == start.size();
  }
  error_code error;
  step.consumed = impl_->put(octets, error);
  step.body = impl_->body;
  if (error == http::error::need_more) {
    step.needs_more = true;
    return step;
  }
  if (error) return framing_error(error);
  return step;
}

Result<void> MessageReader::feed_end() {
  error_code error;
  impl_->put_eof(error);
  if (error) return framing_error(error);
  return {};
}

bool MessageReader::header_complete() const noexcept {
  return impl_->header_complete();
}
bool MessageReader::complete() const noexcept {
  return impl_->complete();
}
bool MessageReader::keep_alive() const noexcept {
  return impl_->keep_alive();
}
bool MessageReader::ends_with_connection() const noexcept {
  return impl_->needs_eof();
}
int MessageReader::version() const noexcept {
  return impl_->version;
}
int MessageReader::status() const noexcept {
  return impl_->status;
}
const std::string& MessageReader::reason() const noexcept {
  return impl_->reason;
}
const std::string& MessageReader::method() const noexcept {
  return impl_->method;
}
const std::string& MessageReader::target() const noexcept {
  return impl_->target;
}
Headers& MessageReader::headers() noexcept {
  return impl_->headers;
}
const Headers& MessageReader::headers() const noexcept {
  return impl_->headers;
}
std::optional<std::uint64_t> MessageReader::content_length() const {
  return impl_->content_length();
}

bool is_token(std::string_view text) noexcept {
  if (text.empty()) return false;
  for (const char c : text) {
    const bool letter_or_digit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter_or_digit && std::string_view("!#$%&'*+-.^_`|~").find(c) == std::string_view::npos)
      return false;
  }
  return true;
}

bool is_field_value(std::string_view text) noexcept {
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if ((octet < 0x20 && c != '\t') || octet == 0x7F) return false;
  }
  return true;
}

bool list_has(std::span<const std::string_view> values, std::string_view element) noexcept {
  for (std::string_view value : values) {
    while (!value.empty()) {
      const std::size_t comma = value.find(',');
      const std::string_view one = value.substr(0, comma);
      if (text::equals_ignore_case(text::trim(one.substr(0, one.find(';'))), element)) return true;
      value = comma == std::string_view::npos ? std::string_view() : value.substr(comma + 1);
    }
  }
  return false;
}

}  // namespace syncline::net
