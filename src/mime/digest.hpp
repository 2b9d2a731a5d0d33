// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <string>
#include <string_view>

namespace syncline::mime {

/// SHA-256 of octets that come in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(std::string_view octets) noexcept;
  /// Lower-case hexadecimal; ready for the next octets afterwards. Empty if the library refused to compute.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace syncline::mime
