// SPDX-License-Identifier: GPL-3.0-or-later
#include "mime/digest.hpp"

#include <openssl/evp.h>

#include <utility>

namespace syncline::mime {

struct Sha256::State {
  EVP_MD_CTX* context = nullptr;
  bool good = false;
  bool is_begun = false;  ///< most readers of messages hash nothing

  State() = default;
  ~State() { EVP_MD_CTX_free(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  void begin() {
    if (std::exchange(is_begun, true)) return;
    if (context == nullptr) context = EVP_MD_CTX_new();
    good = context != nullptr && EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1;
  }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view octets) noexcept {
  state_->begin();
  state_->good = state_->good && EVP_DigestUpdate(state_->context, octets.data(), octets.size()) == 1;
}

std::string Sha256::finish() {
  static constexpr char digits[] = "0123456789abcdef";
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  std::string text;
  state_->begin();
  if (state_->good && EVP_DigestFinal_ex(state_->context, hash, &length) == 1) {
    for (unsigned i = 0; i < length; ++i) {
      text.push_back(digits[hash[i] >> 4U]);
      text.push_back(digits[hash[i] & 15U]);
    }
  }
  state_->is_begun = false;
  return text;
}

}  // namespace syncline::mime
