// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Randomness is a parameter (invariant 30): the kernel's in the product, seeded in tests.
#include <cstdint>
#include <random>
#include <span>
#include <string>

namespace syncline {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::byte> out) = 0;

  std::uint64_t next_u64();
  /// Uniform in [0, bound); bound must be at least 1.
  std::uint64_t below(std::uint64_t bound);
  /// A random (version 4) UUID in lower case, RFC 9562 section 5.4.
  std::string uuid();
};

/// getrandom(2); safe to use from several threads.
Random& system_random() noexcept;

/// The same sequence for the same seed, for tests and simulations; not for secrets.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  void fill(std::span<std::byte> out) override;

 private:
  std::mt19937_64 engine_;
};

}  // namespace syncline
