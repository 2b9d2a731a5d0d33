// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/inflate.hpp"

#define ZLIB_CONST
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>

#include "base/text.hpp"

namespace syncline::net {
namespace {

constexpr int gzip_window = 15 + 16;
constexpr int zlib_window = 15;
constexpr int raw_window = -15;

}  // namespace

struct Inflater::State {
  z_stream stream{};
  InflateLimits limits;
  std::uint64_t input = 0;
  std::uint64_t output = 0;
  bool is_deflate = false;
  bool decided = false;  ///< for "deflate": whether there is a zlib header
  bool ended = false;
};

bool Inflater::knows(std::string_view coding) noexcept {
  return text::equals_ignore_case(coding, "gzip") || text::equals_ignore_case(coding, "x-gzip") ||
         text::equals_ignore_case(coding, "deflate");
}

Inflater::Inflater(std::string_view coding, InflateLimits limits) : state_(std::make_unique<State>()) {
  state_->limits = limits;
  state_->is_deflate = text::equals_ignore_case(coding, "deflate");
  state_->decided = !state_->is_deflate;
  if (inflateInit2(&state_->stream, state_->is_deflate ? zlib_window : gzip_window) != Z_OK)
    throw std::bad_alloc();
}

Inflater::~Inflater() {
  inflateEnd(&state_->stream);
}

bool Inflater::complete() const noexcept {
  return state_->ended;
}

Result<std::size_t> Inflater::inflate(std::span<const std::byte>& input, std::span<std::byte> output) {
  State& state = *state_;
  std::size_t produced = 0;
  while (produced == 0) {
    if (state.ended) {
      if (input.empty()) return produced;
      // RFC 1952 section 2.2: members may follow each other; after "deflate" there is nothing.
      if (state.is_deflate || inflateReset(&state.stream) != Z_OK) {
        return fail(ErrorDomain::http, "bad-compression", "octets follow the end of the compressed body");
      }
      state.ended = false;
    }
    if (!state.decided && !input.empty()) {
      // RFC 1950: the low nibble of the first octet is 8. Raw deflate of some old IIS modules cannot start so
      // with a window that zlib would accept.
      state.decided = true;
      if ((static_cast<unsigned>(input.front()) & 0x0F) != 8) inflateReset2(&state.stream, raw_window);
    }
    constexpr std::size_t most = std::numeric_limits<uInt>::max();
    state.stream.next_in = reinterpret_cast<const Bytef*>(input.data());
    state.stream.avail_in = static_cast<uInt>(std::min(input.size(), most));
    state.stream.next_out = reinterpret_cast<Bytef*>(output.data());
    state.stream.avail_out = static_cast<uInt>(std::min(output.size(), most));
    const uInt in_before = state.stream.avail_in;
    const uInt out_before = state.stream.avail_out;
    const int status = ::inflate(&state.stream, Z_NO_FLUSH);
    const std::size_t used = in_before - state.stream.avail_in;
    produced = out_before - state.stream.avail_out;
    input = input.subspan(used);
    state.input += used;
    state.output += produced;
    if (status == Z_STREAM_END) {
      state.ended = true;
    } else if (status == Z_BUF_ERROR) {
      if (produced == 0) return produced;  // wants more input
    } else if (status != Z_OK) {
      return fail(ErrorDomain::http, "bad-compression", "the compressed body is damaged");
    }
    if (state.output > state.limits.output_octets) {
      return fail(ErrorDomain::http, "too-large",
                  "the body inflates to more than the limit of " +
                      std::to_string(state.limits.output_octets) + " octets");
    }
    if (state.output > state.limits.ratio_free && state.output / state.limits.ratio > state.input) {
      return fail(ErrorDomain::http, "compression-bomb",
                  "the body inflates to more than " + std::to_string(state.limits.ratio) + " times its size");
    }
    if (produced == 0 && input.empty()) return produced;
  }
  return produced;
}

std::string gzip_compress(std::string_view octets) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  std::string out;
  out.resize(deflateBound(&stream, octets.size()));
  stream.next_in = reinterpret_cast<const Bytef*>(octets.data());
  stream.avail_in = static_cast<uInt>(octets.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace syncline::net
