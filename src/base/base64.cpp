// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/base64.hpp"

#include <array>

namespace syncline {
namespace {

constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::uint8_t blank = 0x40;
constexpr std::uint8_t padding = 0x41;
constexpr std::uint8_t bad = 0xFF;

constexpr std::array<std::uint8_t, 256> make_values() {
  std::array<std::uint8_t, 256> values{};
  values.fill(bad);
  for (std::uint8_t i = 0; i < 64; ++i) values[static_cast<unsigned char>(alphabet[i])] = i;
  for (char c : {' ', '\t', '\r', '\n'}) values[static_cast<unsigned char>(c)] = blank;
  values['='] = padding;
  return values;
}
constexpr auto values = make_values();

void encode_group(const unsigned char* in, std::string& out) {
  const char group[4] = {alphabet[in[0] >> 2], alphabet[((in[0] & 3) << 4) | (in[1] >> 4)],
                         alphabet[((in[1] & 15) << 2) | (in[2] >> 6)], alphabet[in[2] & 63]};
  out.append(group, 4);
}

unexpected<Error> bad_base64(const char* what) {
  return fail(ErrorDomain::xml, "bad-base64", what);
}

}  // namespace

void Base64Encoder::feed(std::string_view octets, std::string& out) {
  out.reserve(out.size() + encoded_size(octets.size()));
  const auto* in = reinterpret_cast<const unsigned char*>(octets.data());
  std::size_t left = octets.size();
  while (pending_count_ != 0 && pending_count_ < 3 && left > 0) {
    pending_[pending_count_++] = *in++;
    --left;
  }
  if (pending_count_ == 3) {
    encode_group(pending_, out);
    pending_count_ = 0;
  }
  if (pending_count_ != 0) return;
  for (; left >= 3; left -= 3, in += 3) encode_group(in, out);
  for (; left > 0; --left) pending_[pending_count_++] = *in++;
}

void Base64Encoder::finish(std::string& out) {
  if (pending_count_ == 0) return;
  for (unsigned i = pending_count_; i < 3; ++i) pending_[i] = 0;
  encode_group(pending_, out);
  for (unsigned i = pending_count_; i < 3; ++i) out[out.size() - 3 + i] = '=';
  pending_count_ = 0;
}

Result<void> Base64Decoder::feed(std::string_view text, std::string& out) {
  const std::size_t start = out.size();
  out.resize(start + text.size() / 4 * 3 + 3);
  char* to = out.data() + start;
  const auto* in = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const end = in + text.size();
  const auto give_back = [&] { out.resize(static_cast<std::size_t>(to - out.data())); };
  while (in != end) {
    // The common case: four letters in a row.
    while (count_ == 0 && end - in >= 4 && !padded_) {
      const std::uint8_t a = values[in[0]], b = values[in[1]], c = values[in[2]], d = values[in[3]];
      if ((a | b | c | d) >= 64) break;
      to[0] = static_cast<char>((a << 2) | (b >> 4));
      to[1] = static_cast<char>((b << 4) | (c >> 2));
      to[2] = static_cast<char>((c << 6) | d);
      to += 3;
      in += 4;
    }
    if (in == end) break;
    const std::uint8_t value = values[*in++];
    if (value == blank) continue;
    if (value == padding) {
      if (!padded_) {
        if (count_ < 2) return give_back(), bad_base64("padding where base64 text should go on");
        *to++ = static_cast<char>(group_ >> (count_ == 2 ? 4 : 10));
        if (count_ == 3) *to++ = static_cast<char>(group_ >> 2);
        padded_ = true;
        count_ = count_ == 2 ? 1 : 0;  // how many more '=' belong
        group_ = 0;
      } else if (count_ == 1) {
        count_ = 0;
      } else {
        return give_back(), bad_base64("too much padding in base64 text");
      }
      continue;
    }
    if (value == bad) return give_back(), bad_base64("a character that is not base64");
    if (padded_) return give_back(), bad_base64("base64 text after its padding");
    group_ = (group_ << 6) | value;
    if (++count_ == 4) {
      to[0] = static_cast<char>(group_ >> 16);
      to[1] = static_cast<char>(group_ >> 8);
      to[2] = static_cast<char>(group_);
      to += 3;
      count_ = 0;
      group_ = 0;
    }
  }
  give_back();
  return {};
}

Result<void> Base64Decoder::finish(std::string& out) {
  // Some senders leave the padding out; two or three letters still say one or two octets.
  if (padded_ || count_ == 0) return {};
  if (count_ == 1) return bad_base64("base64 text ends in the middle of an octet");
  out += static_cast<char>(group_ >> (count_ == 2 ? 4 : 10));
  if (count_ == 3) out += static_cast<char>(group_ >> 2);
  count_ = 0;
  return {};
}

std::string base64_encode(std::string_view octets) {
  std::string out;
  Base64Encoder encoder;
  encoder.feed(octets, out);
  encoder.finish(out);
  return out;
}

std::string base64_encode(std::span<const std::byte> octets) {
  return base64_encode(std::string_view(reinterpret_cast<const char*>(octets.data()), octets.size()));
}

std::string base64url_encode(std::string_view octets) {
  std::string out = base64_encode(octets);
  while (!out.empty() && out.back() == '=') out.pop_back();
  for (char& c : out) {
    if (c == '+') c = '-';
    if (c == '/') c = '_';
  }
  return out;
}

Result<std::string> base64_decode(std::string_view text) {
  std::string out;
  Base64Decoder decoder;
  if (auto fed = decoder.feed(text, out); !fed) return fail(fed.error());
  if (auto ended = decoder.finish(out); !ended) return fail(ended.error());
  return out;
}

}  // namespace syncline
