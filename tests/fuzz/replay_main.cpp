// SPDX-License-Identifier: GPL-3.0-or-later
// Outside libFuzzer a fuzz target is a test: it is run over every file of the folders given.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  std::size_t replayed = 0;
  for (int i = 1; i < argc; ++i) {
    std::error_code failed;
    for (fs::recursive_directory_iterator entry(argv[i], failed), end; !failed && entry != end;
         entry.increment(failed)) {
      if (!entry->is_regular_file()) continue;
      std::ifstream file(entry->path(), std::ios::binary);
      const std::string octets{std::istreambuf_iterator<char>(file), {}};
      if (!file) {
        std::fprintf(stderr, "cannot read %s\n", entry->path().c_str());
        return 1;
      }
      // A copy of the exact size, so that a sanitizer sees a read past its end.
      const std::vector<std::uint8_t> data(octets.begin(), octets.end());
      LLVMFuzzerTestOneInput(data.data(), data.size());
      ++replayed;
    }
    if (failed) {
      std::fprintf(stderr, "cannot list %s: %s\n", argv[i], failed.message().c_str());
      return 1;
    }
  }
  std::printf("replayed %zu inputs\n", replayed);
  return replayed == 0 ? 1 : 0;
}
