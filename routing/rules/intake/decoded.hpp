// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <array>
#include <istream>
#include <streambuf>

namespace syncline::rules {

/// Octets of `input` as UTF-8: UTF-16 of either order is recognised by its byte order mark and decoded as it
/// is read, a broken pair becoming U+FFFD; everything else passes unchanged, less the mark of UTF-8.
class DecodingBuffer : public std::streambuf {
 public:
  explicit DecodingBuffer(std::istream& input);

 protected:
  int_type underflow() override;

 private:
  enum class Encoding { as_it_is, utf16_little, utf16_big };
  int unit();
  std::istream& input_;
  Encoding encoding_ = Encoding::as_it_is;
  int pending_unit_ = -1;
  std::array<char, 16384> buffer_{};
};

}  // namespace syncline::rules
