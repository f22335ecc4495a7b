/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Trees that take many blocks at once, against one that grows block by block. */
#include "storage/iptree.h"

#include <glib.h>
#include <string.h>

#include "storage/setblock.h"
#include "tests/unit/growntree.h"
#include "tests/unit/unit.h"

static bool nodes_equal(const struct iptree_node *a, const struct iptree_node *b)
{
	/* what the bits of empty slots say does not count */
	return memcmp(a->child, b->child, sizeof(a->child)) == 0 && a->leaf_bits == b->leaf_bits &&
	       a->repeat_bits == b->repeat_bits && a->prefix == b->prefix && ip_equal(a->ip, b->ip);
}

/* Many at once are the same as one after the other. */
static void check_many_leaves(const struct iptree *tree)
{
	struct iptree_leaf leaves[100];

	for (uint32_t i = 1; i < iptree_leaf_count(tree); i += 77) {
		uint32_t count = MIN(G_N_ELEMENTS(leaves), iptree_leaf_count(tree) - i);

		iptree_leaves(tree, i, count, leaves);
		for (uint32_t k = 0; k < count; k++) {
			struct iptree_leaf leaf = iptree_leaf(tree, i + k);

			CU_ASSERT_FATAL(ip_equal(leaves[k].ip, leaf.ip) &&
					leaves[k].prefix == leaf.prefix);
		}
	}
}

/* Clean both and compare all of them. */
static void check_same(struct iptree *tree, struct growntree *model)
{
	iptree_clean(tree);
	growntree_clean(model);
	UNIT_ASSERT_U64(iptree_leaf_count(tree), growntree_leaf_count(model));
	UNIT_ASSERT_U64(iptree_node_count(tree), growntree_node_count(model));
	UNIT_ASSERT_U64(iptree_root(tree), growntree_root(model));
	CU_ASSERT_FATAL(iptree_leaf_count(tree) == growntree_leaf_count(model));
	CU_ASSERT_FATAL(iptree_node_count(tree) == growntree_node_count(model));
	check_many_leaves(tree);
	for (uint32_t i = 1; i < iptree_leaf_count(tree); i++) {
		const struct iptree_leaf *expected = growntree_leaf(model, i);
		struct iptree_leaf leaf = iptree_leaf(tree, i);

		if (leaf.prefix != expected->prefix || !ip_equal(leaf.ip, expected->ip)) {
			CU_FAIL_FATAL("leaf");
		}
	}
	for (uint32_t i = 1; i < iptree_node_count(tree); i++) {
		struct iptree_node node;

		iptree_node(tree, i, &node);
		if (!nodes_equal(&node, growntree_node(model, i))) {
			CU_FAIL_FATAL("node");
		}
	}
}

/* How the blocks of a case are drawn. */
struct drawing {
	const char *name;
	unsigned bits;    /* of addresses that are random, the lowest ones */
	unsigned stride;  /* 1: any addresses, 2: no two that touch */
	unsigned blocks;  /* of a hundred, how many are larger than an address */
	unsigned largest; /* prefix */
	unsigned count;
};

static const struct drawing drawings[] = {
	{ "few", 7, 1, 30, 118, 8 },
	{ "dense", 13, 1, 0, 128, 9000 },
	{ "dense, many times", 12, 1, 0, 128, 30000 },
	{ "in pairs", 17, 1, 0, 128, 40000 },
	{ "scattered", 100, 1, 0, 128, 30000 },
	{ "no two touch", 14, 2, 0, 128, 9000 },
	{ "some blocks", 16, 1, 1, 112, 20000 },
	{ "many blocks", 16, 1, 50, 112, 20000 },
	{ "blocks of few", 14, 1, 60, 124, 9000 },
	{ "blocks of any size", 120, 1, 20, 9, 9000 },
	{ "large blocks", 127, 1, 100, 1, 40 },
	{ "blocks only", 20, 1, 100, 108, 9000 },
	{ "scattered, few of them near others", 30, 1, 0, 128, 70000 },
	{ "enough for two threads", 62, 2, 0, 128, 70000 },
	{ "enough for two threads, with blocks", 100, 1, 20, 120, 70000 },
	{ "enough for two threads, not apart", 60, 1, 1, 70, 70000 },
};

static struct ip draw_ip(GRand *rand, const struct drawing *drawing)
{
	struct ip ip = { (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand),
			 (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand) };

	if (drawing->bits <= 64) {
		ip.hi = UINT64_C(0x20010db800000000);
		ip.lo &= drawing->bits == 64 ? UINT64_MAX : (UINT64_C(1) << drawing->bits) - 1;
	} else {
		ip.hi &= (UINT64_C(1) << (drawing->bits - 64)) - 1;
	}
	ip.lo &= ~(uint64_t)(drawing->stride - 1);
	return ip;
}

static uint8_t draw_prefix(GRand *rand, const struct drawing *drawing)
{
	if (g_rand_int_range(rand, 0, 100) >= (gint32)drawing->blocks) {
		return 128;
	}
	return (uint8_t)g_rand_int_range(rand, (gint32)drawing->largest, 129);
}

static void insert_drawn(struct iptree *tree, struct growntree *model, GRand *rand,
			 const struct drawing *drawing, unsigned count)
{
	struct ip ips[64];
	unsigned waiting = 0;

	for (unsigned i = 0; i < count; i++) {
		struct ip ip = draw_ip(rand, drawing);
		uint8_t prefix = draw_prefix(rand, drawing);

		growntree_insert(model, ip, prefix);
		if (prefix == 128 && waiting < G_N_ELEMENTS(ips)) {
			ips[waiting++] = ip;
			continue;
		}
		iptree_insert_many(tree, ips, waiting);
		waiting = 0;
		iptree_insert(tree, ip, prefix);
	}
	iptree_insert_many(tree, ips, waiting);
}

static void test_growing(void)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(drawings); i++) {
		for (guint32 seed = 1; seed <= 6; seed++) {
			GRand *rand = g_rand_new_with_seed(seed);
			struct iptree *tree = iptree_new();
			struct growntree *model = growntree_new();
			unsigned parts = seed % 3 + 1;

			unit_at("%s, seed %u", drawings[i].name, seed);
			for (unsigned part = 0; part < parts; part++) {
				insert_drawn(tree, model, rand, &drawings[i],
					     drawings[i].count / parts + seed);
				check_same(tree, model);
			}
			iptree_free(tree);
			growntree_free(model);
			g_rand_free(rand);
		}
	}
}

/* The leaves of a clean tree, in order, into new trees that load them. */
static void load_leaves(const struct iptree *from, struct iptree *tree, struct growntree *model)
{
	iptree_load(tree);
	growntree_load(model);
	for (uint32_t i = 1; i < iptree_leaf_count(from); i++) {
		struct iptree_leaf leaf = iptree_leaf(from, i);

		iptree_insert(tree, leaf.ip, leaf.prefix);
		growntree_insert(model, leaf.ip, leaf.prefix);
	}
	check_same(tree, model);
}

/* What is read from a file goes on as if it had not been written. */
static void test_reading(void)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(drawings); i++) {
		for (guint32 seed = 1; seed <= 4; seed++) {
			GRand *rand = g_rand_new_with_seed(100 + seed);
			struct iptree *first = iptree_new();
			struct growntree *unused = growntree_new();
			struct iptree *tree = iptree_new();
			struct growntree *model = growntree_new();

			unit_at("%s, seed %u", drawings[i].name, seed);
			insert_drawn(first, unused, rand, &drawings[i], drawings[i].count);
			iptree_clean(first);
			load_leaves(first, tree, model);
			insert_drawn(tree, model, rand, &drawings[i],
				     seed % 2 ? drawings[i].count : 3);
			check_same(tree, model);
			iptree_free(first);
			iptree_free(tree);
			growntree_free(unused);
			growntree_free(model);
			g_rand_free(rand);
		}
	}
}

/* The nodes of a tree as a file tells them. Returned: g_free(). */
static struct setblock *nodes_of(const struct growntree *model, uint32_t *count)
{
	struct setblock *nodes;

	*count = growntree_node_count(model) - 1;
	nodes = g_new0(struct setblock, *count + 1);
	for (uint32_t i = 0; i < *count; i++) {
		const struct iptree_node *node = growntree_node(model, i + 1);

		nodes[i] = (struct setblock){ node->ip, i + 1, node->prefix };
	}
	return nodes;
}

/* The leaves of a tree as a file tells them. Returned: g_free(). */
static struct setblock *leaves_of(const struct growntree *model, uint32_t *count)
{
	struct setblock *leaves;

	*count = growntree_leaf_count(model) - 1;
	leaves = g_new0(struct setblock, *count);
	for (uint32_t i = 0; i < *count; i++) {
		const struct iptree_leaf *leaf = growntree_leaf(model, i + 1);

		leaves[i] = (struct setblock){ .ip = leaf->ip, .prefix = leaf->prefix };
	}
	return leaves;
}

/* A tree from a file goes on as it was. */
static void test_adopting(void)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(drawings); i++) {
		for (guint32 seed = 1; seed <= 4; seed++) {
			GRand *rand = g_rand_new_with_seed(200 + seed);
			struct iptree *first = iptree_new();
			struct growntree *model = growntree_new();
			struct setblock *leaves;
			struct setblock *nodes;
			struct iptree *tree;
			uint32_t leaf_count;
			uint32_t node_count;

			unit_at("%s, seed %u", drawings[i].name, seed);
			insert_drawn(first, model, rand, &drawings[i], drawings[i].count);
			check_same(first, model);
			nodes = nodes_of(model, &node_count);
			leaves = leaves_of(model, &leaf_count);
			tree = iptree_adopt(leaves, leaf_count, nodes, node_count);
			CU_ASSERT_PTR_NOT_NULL_FATAL(tree);
			growntree_reread(model);
			check_same(tree, model);
			insert_drawn(tree, model, rand, &drawings[i], drawings[i].count);
			check_same(tree, model);
			g_free(nodes);
			iptree_free(first);
			iptree_free(tree);
			growntree_free(model);
			g_rand_free(rand);
		}
	}
}

/* What is no tree that SiLK writes is refused. */
static void test_wrong_trees(void)
{
	GRand *rand = g_rand_new_with_seed(7);
	struct iptree *tree = iptree_new();
	struct growntree *model = growntree_new();
	uint32_t node_count;
	uint32_t leaf_count;

	insert_drawn(tree, model, rand, &drawings[1], 3000);
	check_same(tree, model);
	for (unsigned wrong = 0; wrong < 8; wrong++) {
		struct setblock *nodes = nodes_of(model, &node_count);
		struct setblock *leaves = leaves_of(model, &leaf_count);
		struct setblock *node = &nodes[node_count / 2];
		struct setblock *leaf = &leaves[leaf_count / 2];

		unit_at("wrong %u", wrong);
		node->prefix = (uint8_t)(wrong == 0 ? node->prefix - 4 : node->prefix);
		node->ip.lo ^= wrong == 1 ? UINT64_C(1) << 40 : 0;
		*node = wrong == 2 ? nodes[0] : *node;
		leaf->prefix = wrong == 3 ? 0 : wrong == 4 ? 129 : leaf->prefix;
		*leaf = wrong == 5 ? leaf[1] : *leaf;
		leaf->ip.hi ^= wrong == 6;
		CU_ASSERT_PTR_NULL(iptree_adopt(leaves, leaf_count, nodes,
						wrong == 7 ? node_count - 1 : node_count));
		g_free(nodes);
		g_free(leaves);
	}
	iptree_free(tree);
	growntree_free(model);
	g_rand_free(rand);
}

static void test_ends(void)
{
	struct iptree *tree = iptree_new();
	struct growntree *model = growntree_new();

	check_same(tree, model);
	iptree_insert_range(tree, (struct ip){ 0, 0 }, (struct ip){ UINT64_MAX, UINT64_MAX });
	growntree_insert(model, (struct ip){ 0, 0 }, 1);
	growntree_insert(model, (struct ip){ UINT64_C(1) << 63, 0 }, 1);
	check_same(tree, model);
	iptree_insert_many(tree, &(struct ip){ 0, 0 }, 1);
	growntree_insert(model, (struct ip){ 0, 0 }, 128);
	check_same(tree, model);
	iptree_free(tree);
	growntree_free(model);
}

static const struct unit_case cases[] = {
	{ "growing", test_growing },
	{ "reading", test_reading },
	{ "adopting", test_adopting },
	{ "wrong trees", test_wrong_trees },
	{ "nothing and everything", test_ends },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("iptree", cases);
}
