// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/rules/intake/decoded.hpp"

#include <string>
#include <string_view>

#include "base/text.hpp"

namespace syncline::rules {
namespace {

constexpr int kNone = -1;
constexpr char32_t kReplacement = 0xFFFD;

}  // namespace

DecodingBuffer::DecodingBuffer(std::istream& input) : input_(input) {
  std::array<char, 3> begin{};
  input_.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  const std::string_view octets{begin.data(), static_cast<std::size_t>(input_.gcount())};
  input_.clear();
  std::streamoff mark = 0;
  if (octets.starts_with("\xFF\xFE")) {
    encoding_ = Encoding::utf16_little;
    mark = 2;
  } else if (octets.starts_with("\xFE\xFF")) {
    encoding_ = Encoding::utf16_big;
    mark = 2;
  } else if (octets == "\xEF\xBB\xBF") {
    mark = 3;
  }
  input_.seekg(mark);
}

int DecodingBuffer::unit() {
  if (pending_unit_ != kNone) {
    const int unit = pending_unit_;
    pending_unit_ = kNone;
    return unit;
  }
  std::streambuf& source = *input_.rdbuf();
  const int first = source.sbumpc();
  if (first == traits_type::eof()) return kNone;
  const int second = source.sbumpc();
  // Half a unit at the end is not a character.
  if (second == traits_type::eof()) return static_cast<int>(kReplacement);
  return encoding_ == Encoding::utf16_little ? first | (second << 8) : (first << 8) | second;
}

DecodingBuffer::int_type DecodingBuffer::underflow() {
  if (encoding_ == Encoding::as_it_is) {
    input_.read(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
    const auto count = input_.gcount();
    if (count == 0) return traits_type::eof();
    setg(buffer_.data(), buffer_.data(), buffer_.data() + count);
    return traits_type::to_int_type(buffer_[0]);
  }
  std::string decoded;
  while (decoded.size() + 4 <= buffer_.size()) {
    const int first = unit();
    if (first == kNone) break;
    auto value = static_cast<char32_t>(first);
    if (first >= 0xD800 && first <= 0xDBFF) {
      const int second = unit();
      if (second >= 0xDC00 && second <= 0xDFFF) {
        value = 0x10000 + ((static_cast<char32_t>(first) - 0xD800) << 10U) +
                (static_cast<char32_t>(second) - 0xDC00);
      } else {
        value = kReplacement;
        pending_unit_ = second;
      }
    } else if (first >= 0xDC00 && first <= 0xDFFF) {
      value = kReplacement;
    }
    text::append_utf8(decoded, value);
  }
  if (decoded.empty()) return traits_type::eof();
  decoded.copy(buffer_.data(), decoded.size());
  setg(buffer_.data(), buffer_.data(), buffer_.data() + decoded.size());
  return traits_type::to_int_type(buffer_[0]);
}

}  // namespace syncline::rules
