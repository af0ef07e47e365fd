#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "base/test_data.h"
#include "format/test_checkpoint.h"
#include "format/torch.h"

// Real PyTorch opens what we write, and we open what it writes. MAEIL_PYTHON names the interpreter (default
// /usr/bin/python3).

namespace maeil::format {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string python() {
  const char* named = std::getenv("MAEIL_PYTHON");
  return named ? named : "/usr/bin/python3";
}

int run_python(const fs::path& folder, const std::string& script) {
  EXPECT_TRUE(write_file_atomically(folder / "script.py", script));
  return std::system(("cd '" + folder.string() + "' && '" + python() + "' -B script.py").c_str());
}

class TorchPythonSlow : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("maeil-torch-" + std::to_string(::getpid()));
    fs::create_directories(folder_);
    if (run_python(folder_,
                   "import importlib.util, sys\nsys.exit(importlib.util.find_spec('torch') is None)\n") !=
        0) {
      if (std::getenv("MAEIL_REQUIRE_DATA")) FAIL() << "needs PyTorch in " << python();
      GTEST_SKIP() << "skipped: needs PyTorch in " << python() << " (MAEIL_PYTHON)";
    }
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path folder_;
};

TEST_F(TorchPythonSlow, OpensWhatWeWriteWithWeightsOnly) {
  std::vector<Tensor> state{{"a.weight", {2, 3}, DType::kFloat32, {1, 2, 3, 4, 5, -0.5f}, {}, {}},
                            {"scalar", {}, DType::kFloat64, {}, {0.1}, {}},
                            {"empty", {0, 4}, DType::kFloat32, {}, {}, {}},
                            {"count", {2}, DType::kInt64, {}, {}, {INT64_MIN, 7}}};
  Json extras = {{"metadata",
                  {{"medians", {1.5, 0.1}},
                   {"iqr", 0.1},
                   {"mixed", {1, 2.5, nullptr, true, "담보"}},
                   {"none", Json::array()}}},
                 {"finetuned_from", nullptr},
                 {"finetune_timestamp", "2026-01-09T00:00:00Z"},
                 {"big", 1099511627776},
                 {"negative", -7}};
  ASSERT_TRUE(write_file_atomically(folder_ / "dict.pth", write_checkpoint(state, extras).value()));
  ASSERT_TRUE(write_file_atomically(folder_ / "plain.pth", write_state_dict(state).value()));
  EXPECT_EQ(run_python(folder_, R"(
import torch
from collections import OrderedDict
d = torch.load('dict.pth', weights_only=True)
assert list(d) == ['model_state_dict', 'metadata', 'finetuned_from', 'finetune_timestamp', 'big',
                   'negative'], list(d)
for s in (d['model_state_dict'], torch.load('plain.pth', weights_only=True)):
    assert isinstance(s, OrderedDict) and list(s) == ['a.weight', 'scalar', 'empty', 'count']
    assert torch.equal(s['a.weight'], torch.tensor([[1, 2, 3], [4, 5, -0.5]]))
    assert s['a.weight'].is_contiguous()
    assert s['scalar'].dtype == torch.float64 and s['scalar'].item() == 0.1 and s['empty'].shape == (0, 4)
    assert s['count'].tolist() == [-2**63, 7]
m = d['metadata']
assert m['medians'].tolist() == [1.5, 0.1] and float(m['iqr']) == 0.1 and m['none'] == []
assert m['mixed'][0] == 1 and float(m['mixed'][1]) == 2.5 and m['mixed'][2:] == [None, True, '담보']
assert d['finetuned_from'] is None and d['big'] == 2**40 and d['negative'] == -7
)"),
            0);
}

TEST_F(TorchPythonSlow, OpensTheSeedsWrittenAgain) {
  MAEIL_NEEDS(seed_dir());
  for (const char* file : {"finetuned_model_f.pth", "pretrained_model_f.pth"}) {
    auto read = testing::read_whole(read_file(seed_dir() / file).value(), file);
    ASSERT_TRUE(read) << read.error().message;
    ASSERT_TRUE(write_file_atomically(folder_ / "again.pth", write_state_dict(read->state).value()));
    EXPECT_EQ(run_python(folder_, "import torch\na = torch.load('" +
                                      fs::absolute(seed_dir() / file).string() + R"(', weights_only=True)
b = torch.load('again.pth', weights_only=True)
assert list(a) == list(b)
for k in a:
    assert a[k].numpy().tobytes() == b[k].numpy().tobytes() and a[k].shape == b[k].shape, k
)"),
              0)
        << file;
  }
}

TEST_F(TorchPythonSlow, ReadsWhatPyTorchWrites) {
  ASSERT_EQ(run_python(folder_, R"(
import zipfile, torch
w = torch.arange(12, dtype=torch.float32).reshape(3, 4)
state = {'t': w.t(), 'slice': w[1:, ::2], 'same': w, 'd': torch.tensor([0.1], dtype=torch.float64),
         'n': torch.tensor(5),
         'p': torch.nn.Parameter(torch.ones(2)), 'none': torch.zeros(0, 3)}
torch.save({'encoder_state_dict': state, 'projection_head_state_dict': {'0.weight': w}, 'epoch': 3,
            'loss': [0.5, 1], 'shape': w.shape}, 'pre.pth')
with zipfile.ZipFile('pre.pth') as a, zipfile.ZipFile('deflated.pth', 'w', zipfile.ZIP_DEFLATED) as b:
    for n in a.namelist(): b.writestr('other/root' + n[n.index('/'):], a.read(n))
torch.save({'x': torch.ones(2)}, 'legacy.pth', _use_new_zipfile_serialization=False)
torch.save({'x': torch.ones(1).expand(1000000000)}, 'expanded.pth')
torch.save(torch.nn.Linear(2, 2), 'module.pth')
torch.jit.script(torch.nn.Linear(2, 2)).save('script.pth')
)"),
            0);
  for (const char* file : {"pre.pth", "deflated.pth"}) {
    const std::string bytes = read_file(folder_ / file).value();
    auto read = testing::read_whole(bytes, file);
    ASSERT_TRUE(read) << read.error().message;
    ASSERT_EQ(read->state.size(), 7u);
    EXPECT_EQ(read->find("t")->shape, (std::vector<int64_t>{4, 3}));
    EXPECT_EQ(read->find("t")->values, (std::vector<float>{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}));
    EXPECT_EQ(read->find("slice")->values, (std::vector<float>{4, 6, 8, 10}));
    EXPECT_EQ(read->find("d")->doubles, (std::vector<double>{0.1}));
    EXPECT_EQ(read->find("n")->integers, (std::vector<int64_t>{5}));
    EXPECT_EQ(to_floats(*read->find("p")).value(), (std::vector<float>{1, 1}));
    EXPECT_TRUE(read->find("none")->values.empty());
    EXPECT_EQ(read->dicts.at(0).path, "encoder_state_dict");
    EXPECT_EQ(read->dicts.at(1).path, "projection_head_state_dict");
    EXPECT_EQ(read->tensors.at(1).at(0).values.size(), 12u);
    EXPECT_EQ(testing::value_in(bytes, "epoch"), 3);
    EXPECT_EQ(testing::value_in(bytes, "loss"), (Json{0.5, 1}));
  }
  for (auto [file, why] : {std::pair{"legacy.pth", "save it again"},
                           {"expanded.pth", "repeats its storage"},
                           {"module.pth", "torch.nn.modules.linear.Linear"},
                           {"script.pth", "TorchScript"}}) {
    const std::string bytes = read_file(folder_ / file).value();
    auto read = testing::read_whole(bytes, file);
    ASSERT_FALSE(read) << file;
    EXPECT_NE(read.error().message.find(why), std::string::npos) << read.error().message;
    EXPECT_NE(read.error().message.find(file), std::string::npos) << read.error().message;
  }
}

}  // namespace
}  // namespace maeil::format
