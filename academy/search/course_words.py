"""Words of the programme's subjects that the general Chinese dictionary would cut in two.

“大数据” cut into “大” and “数据” would also find what is merely large and about data.
"""

from __future__ import annotations

from typing import Final

_WORDS: Final = """
大数据 云计算 云原生 云服务 云平台 云存储 云安全 实时计算 流计算 流处理 批处理 离线计算 边缘计算 并行计算 分布式 分布式系统
微服务 容器化 虚拟机 虚拟化 编排 弹性伸缩 弹性计算 负载均衡 对象存储 块存储 数据湖 数据仓库 数据科学 数据挖掘 数据清洗
数据流 数据集 数据中心 机器学习 深度学习 强化学习 迁移学习 监督学习 无监督学习 神经网络 卷积神经网络 循环神经网络 注意力机制
大模型 语言模型 自然语言处理 计算机视觉 知识图谱 推荐系统 梯度下降 反向传播 过拟合 欠拟合 正则化 交叉验证 随机森林 决策树
聚类 主成分分析 线性回归 逻辑回归 支持向量机 贝叶斯 概率论 数理统计 线性代数 信息论 交叉熵 时间序列 特征工程 消息队列
一致性 最终一致性 事务 索引 分片 副本 容错 高可用 可用性 可观测性 无服务器 中间件 区块链 操作系统 计算机网络 数据结构
"""
COURSE_WORDS: Final = tuple(_WORDS.split())
