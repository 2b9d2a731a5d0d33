// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/random.hpp"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace syncline {
namespace {

class KernelRandom final : public Random {
 public:
  void fill(std::span<std::byte> out) override {
    while (!out.empty()) {
      const ssize_t got = ::getrandom(out.data(), out.size(), 0);
      // getrandom fails only on EINTR here; a kernel without it cannot run us.
      if (got < 0 && errno != EINTR) std::abort();
      if (got > 0) out = out.subspan(static_cast<std::size_t>(got));
    }
  }
};

}  // namespace

std::uint64_t Random::next_u64() {
  std::array<std::byte, sizeof(std::uint64_t)> octets{};
  fill(octets);
  std::uint64_t value = 0;
  std::memcpy(&value, octets.data(), sizeof value);
  return value;
}

std::uint64_t Random::below(std::uint64_t bound) {
  // Values under the threshold would make the low residues more likely.
  const std::uint64_t threshold = (0 - bound) % bound;
  for (;;) {
    const std::uint64_t value = next_u64();
    if (value >= threshold) return value % bound;
  }
}

std::string Random::uuid() {
  std::array<std::byte, 16> octets{};
  fill(octets);
  octets[6] = (octets[6] & std::byte{0x0f}) | std::byte{0x40};
  octets[8] = (octets[8] & std::byte{0x3f}) | std::byte{0x80};
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < octets.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += digits[std::to_integer<unsigned>(octets[i]) >> 4];
    text += digits[std::to_integer<unsigned>(octets[i]) & 15];
  }
  return text;
}

Random& system_random() noexcept {
  static KernelRandom random;
  return random;
}

void SeededRandom::fill(std::span<std::byte> out) {
  while (!out.empty()) {
    const std::uint64_t value = engine_();
    const std::size_t n = std::min(out.size(), sizeof value);
    std::memcpy(out.data(), &value, n);
    out = out.subspan(n);
  }
}

}  // namespace syncline
